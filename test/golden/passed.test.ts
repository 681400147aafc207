/**
 * The state that one process of an upgrade passes to the next, of a daemon at work. Its shape is kept in a file with the
 * versions: a shape that changes without another number would be misread by the process of the other version.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeProtocol } from '../../src/daemon/upgrade-messages.ts'
import { passedVersion } from '../../src/daemon/upgrade-state.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { stateVersion } from '../../src/router/dispatch/router-state.ts'
import { inLab } from '../e2e/pair.ts'
import { linesOf, refuse, write } from './golden.ts'
import { Shape } from './shape.ts'

const soonMs = 60_000
const file = 'passed.txt'
const versions = `state: passedVersion ${passedVersion}, stateVersion ${stateVersion}`

const instance = (name: string, vrid: number, more: string) => `vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  priority 150
  advert_int 0.2
  virtual_ipaddress {
    172.16.80.${vrid}
  }
  ${more}
}
`
const conf = `global_defs {
  vrrp_version 3
  vrrp_notify_fifo /run/lab/fifo
  vipd_kernel_lease on
}
vrrp_script chk {
  script "/bin/true"
  interval 1
}
vrrp_sync_group VG {
  group {
    VI_1
    VI_2
  }
}
${instance('VI_1', 51, `use_vmac\n  no_accept\n  notify /bin/true\n  auth_hmac {\n    key 1 hex:${'a1'.repeat(32)}\n    active_key 1\n  }`)}
${instance('VI_2', 52, 'virtual_routes {\n    10.9.0.0/24 via 172.16.80.9\n  }\n  track_script {\n    chk\n  }')}
static_routes {
  10.8.0.0/24 via 172.16.80.9 dev eth0
}
`

/** Takes the state for its own, writes it down, and refuses it. */
const taker = (out: string) => `
import { writeFileSync } from 'node:fs'
const { Channel } = await import('${program('../daemon/upgrade-channel.js')}')
const channel = new Channel(3)
await channel.next(${soonMs})
const [protocol, reads] = [${exchangeProtocol}, ${passedVersion}]
await channel.send({ kind: 'prepared', protocol, reads, version: '0' })
const { state } = await channel.next(${soonMs})
writeFileSync('${out}', JSON.stringify(state))
await channel.send({ kind: 'refused', why: 'written down' })`

async function passedBy(daemon: Vipd): Promise<object> {
  const { host, runDir } = daemon
  const words = [process.execPath, host.write('/run/lab/taker.mjs', taker('/run/lab/state.json'))]
  const order = `import('${program('../control/client.js')}').then(({ requestUpgrade }) =>
    requestUpgrade('${runDir}/vipd.sock', ${JSON.stringify(words)}, true)).catch(({ message }) => console.log(message))`
  const said = await host.must(process.execPath, ['-e', order])
  assert.match(said, /written down/)
  return JSON.parse(host.read('/run/lab/state.json') ?? '') as object
}

/** What was not there, in a record whose other fields were. */
function added(now: readonly string[], frozen: readonly string[]): readonly string[] {
  const pathOf = (line: string) => line.split(': ')[0] ?? ''
  const known = new Set(frozen.map(pathOf))
  const parents = new Set(frozen.map((line) => parentOf(pathOf(line))))
  return now.filter((line) => !known.has(pathOf(line)) && parents.has(parentOf(pathOf(line))))
}
const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('.')))

test('the passed state has the shape that its numbers stand for', () =>
  inLab('passed', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    const daemon = startVipd(host, conf)
    await daemon.reaches('VI_2', 'MASTER', soonMs)
    await until('its check is good', soonMs, async () => (await daemon.status()).checks[0]?.good)
    const shape = new Shape()
    shape.add('state', await passedBy(daemon))
    const [first, ...frozen] = linesOf(file)
    if (process.env['GOLDEN'] === 'write') {
      if (first === versions) shape.addFrozen(frozen)
      return write(file, [versions, ...shape.lines()])
    }
    refuse(file, first === versions ? [] : [`${first}; GOLDEN=write for ${versions}`])
    const more = added(shape.lines(), frozen).map((line) => `+ ${line}`)
    refuse(file, [...shape.breaks(frozen), ...more])
  }))
