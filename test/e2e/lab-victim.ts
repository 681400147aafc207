/** Opens a lab with something running in it, says which processes that are, and waits to be killed. */
import { openLab } from '../../src/lab/lab.ts'

const lab = await openLab({ name: 'victim' })
const host = await lab.host('one', { addresses: { eth0: ['192.0.2.1/24'] } })
const sleeper = host.spawn('sh', [
  '-c',
  'trap "" TERM HUP INT; echo up; while :; do sleep 1000; done',
])
await sleeper.line(/up/, 5_000)
process.stdout.write(`pids ${host.pid} ${await sleeper.pid()}\n`)
