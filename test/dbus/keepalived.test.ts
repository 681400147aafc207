/** The same questions to keepalived (Debian's, which has D-Bus) and to vipd on the same bus, one after the other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import { startDaemon } from '../../src/lab/serving.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import {
  busctl,
  call,
  daemonInterface,
  daemonPath,
  instanceInterface,
  isServed,
  name,
  pathOf,
  paths,
  property,
  Signals,
  served,
  setPolicy,
  soonMs,
  startBus,
} from './bus.ts'

const path = pathOf('eth0', 51)
const gone = pathOf('eth0', 53)
const other = (vrid: number, more = '') => `
vrrp_instance VI_${vrid} {
  interface eth0
  virtual_router_id ${vrid}
  version 3
  priority 100
  advert_int 0.2
  virtual_ipaddress {
    172.16.80.${vrid}
  }
  ${more}
}`
const config = conf({ priority: 150, globals: 'enable_dbus' })
const before = config + other(52) + other(53, 'notify_deleted')

/** Calls that are wrong in one way each. */
const wrong: readonly (readonly string[])[] = [
  [path, instanceInterface, 'Nope'],
  [path, instanceInterface, 'SendGarp', 's', 'x'],
  [path, 'org.keepalived.Nope', 'SendGarp'],
  [daemonPath, instanceInterface, 'SendGarp'],
  ['/nope', instanceInterface, 'SendGarp'],
  [path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', instanceInterface, 'Nope'],
  [path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', 'org.nope', 'Name'],
  [path, 'org.freedesktop.DBus.Properties', 'GetAll', 's', 'org.nope'],
  [path, 'org.freedesktop.DBus.Properties', 'Set', 'ssv', instanceInterface, 'Name', 's', 'x'],
]

const right: readonly (readonly string[])[] = [
  ['/nope', 'org.freedesktop.DBus.Peer', 'Ping'],
  [daemonPath, 'org.freedesktop.DBus.Peer', 'GetMachineId'],
  [path, 'org.freedesktop.DBus.Properties', 'GetAll', 's', instanceInterface],
  [daemonPath, 'org.freedesktop.DBus.Properties', 'GetAll', 's', daemonInterface],
  [path, instanceInterface, 'SendGarp'],
]

/** What is asked of either, and what it says. */
async function seen(host: Host, kind: DaemonKind) {
  // Before it: its first word is that it has started.
  const signals = await Signals.open(host)
  const daemon = startDaemon(kind, host, before)
  await served(host)
  for (const it of [path, pathOf('eth0', 52), gone])
    await until(
      `${it} leads`,
      soonMs,
      async () => (await property(host, it, 'State')) === '(us) 2 "Master"',
    )
  const introspected: Record<string, readonly string[]> = {}
  for (const of of [path, daemonPath]) {
    const { stdout } = await busctl(host, 'introspect', name, of)
    introspected[of] = stdout.split('\n').map((line) => line.trim().split(/ +/).join(' '))
  }
  const answers: (readonly [string, string])[] = []
  for (const words of [...wrong, ...right]) {
    const { stdout, stderr } = await busctl(host, 'call', name, ...words)
    answers.push([words.join(' '), `${stdout}${stderr}`.trim()])
  }
  const tree = await paths(host)
  host.write(daemon.kind === 'vipd' ? '/run/lab/vipd.conf' : '/run/lab/keepalived.conf', config)
  const reload = await call(host, daemonPath, daemonInterface, 'ReloadConfig')
  assert.equal(reload.status, 0, reload.stderr)
  await signals.has('Vrrp VrrpReloaded')
  const after = await until('the objects are gone', soonMs, async () => {
    const found = await paths(host)
    return found.includes(gone) ? null : found
  })
  await daemon.stop(soonMs)
  await signals.has('Vrrp VrrpStopped')
  await until('the name is free', soonMs, async () => !(await isServed(host)))
  return {
    introspected,
    answers,
    tree: [...tree].sort(),
    after: [...after].sort(),
    signals: signals.all,
  }
}

/** Codes in their order; of a start only the last one, since keepalived tells the state before its first one too. */
const codesOf = (signals: readonly string[], of: string): readonly string[] =>
  signals.flatMap((it) => new RegExp(`^${of} VrrpStatusChange (\\d+)$`).exec(it)?.[1] ?? [])

test('tree, interfaces, answers, errors and signals are keepalived’s', () =>
  inLab('dbus-keepalived', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    setPolicy(one, 'ours')
    await startBus(one)
    const theirs = await seen(one, 'keepalived')
    const ours = await seen(one, 'vipd')
    assert.deepEqual(ours.tree, theirs.tree)
    assert.deepEqual(ours.after, theirs.after)
    assert.deepEqual(ours.answers, theirs.answers)
    // keepalived says `s` and gives `(s)`, which busctl then cannot show.
    const named = (lines: readonly string[] = []) => lines.filter((it) => !it.startsWith('.Name'))
    assert.deepEqual(named(ours.introspected[path]), named(theirs.introspected[path]))
    assert.deepEqual(ours.introspected[daemonPath], theirs.introspected[daemonPath])
    assert.ok(ours.introspected[path]?.includes('.Name property (s) - const'))

    for (const it of ['Instance/eth0/51/IPv4', 'Instance/eth0/52/IPv4', 'Instance/eth0/53/IPv4']) {
      const [mine, known] = [codesOf(ours.signals, it), codesOf(theirs.signals, it)]
      assert.deepEqual(mine.slice(mine.indexOf('2')), known.slice(known.indexOf('2')), it)
    }
    const daemons = (signals: readonly string[]) => signals.filter((it) => it.startsWith('Vrrp '))
    assert.equal(daemons(theirs.signals)[0], 'Vrrp VrrpStarted')
    assert.deepEqual(daemons(ours.signals), daemons(theirs.signals))
  }))
