/** For own-lines.test.ts: warns, prints in a thread, and then fails as it is told. */
import { openLog } from '../../../src/daemon/log.ts'
import { logOwnLines } from '../../../src/daemon/own-lines.ts'
import { Thread } from '../../../src/threads/thread.ts'

const log = openLog({ format: 'json', level: 'info' })
logOwnLines(log, () => process.exit(1))
process.emitWarning('of the main thread')
const text = `process.emitWarning('of a worker'); console.error('printed'); setInterval(() => 0, 1000)`
new Thread<never, never>(
  {
    file: new URL(`data:text/javascript,${encodeURIComponent(text)}`),
    name: 'prints',
    heapMegabytes: 64,
  },
  { onMessage: () => 0, onLost: () => 0 },
)
process.stdin.once('data', (how) => {
  log.info('the line before')
  if (how.toString() === 'reject') void Promise.reject(new Error('it broke'))
  else throw new Error('it broke')
})
