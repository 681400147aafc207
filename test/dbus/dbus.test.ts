/** keepalived's objects on a real bus: what is there, what is told of a fail-over, who may order what. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import {
  busctl,
  call,
  daemonInterface,
  daemonPath,
  instanceInterface,
  name,
  type Policy,
  pathOf,
  paths,
  property,
  Signals,
  served,
  setPolicy,
  soonMs,
  startBus,
} from './bus.ts'

const first = pathOf('eth0', 51)
const second = pathOf('eth_9', 52, 6)

/** One more, whose interface is not there: it is in fault. */
const faulty = `
vrrp_instance V6 {
  interface eth.9
  virtual_router_id 52
  priority 100
  virtual_ipaddress {
    fe80::99
  }
}`

const withBus = (priority: number, globals = ''): string =>
  conf({ priority, globals: `enable_dbus\n dynamic_interfaces\n ${globals}` })

async function hostWithBus(lab: Lab, on: string, policy: Policy = 'ours'): Promise<Host> {
  const octet = on === 'one' ? 2 : 3
  const host = await lab.host(on, { addresses: { eth0: [`172.16.80.${octet}/24`] } })
  setPolicy(host, policy)
  await startBus(host)
  return host
}

const hasState = (host: Host, path: string, state: string): Promise<boolean> =>
  until(`${path} is ${state}`, soonMs, async () => (await property(host, path, 'State')) === state)

test('objects, properties and signals of a pair, through a fail-over, beside vipd status', () =>
  inLab('dbus-pair', async (lab) => {
    const [one, two] = [await hostWithBus(lab, 'one'), await hostWithBus(lab, 'two')]
    const onTwo = await Signals.open(two)
    const onOne = await Signals.open(one)
    const a = startVipd(one, withBus(150) + faulty)
    await served(one)
    await hasState(one, first, '(us) 2 "Master"')
    startVipd(two, withBus(100))
    await served(two)
    await hasState(two, first, '(us) 1 "Backup"')

    assert.deepEqual(
      (await paths(one)).filter((path) => /Vrrp$|IPv/.test(path)),
      [first, second, daemonPath],
    )
    const words = { MASTER: '2 "Master"', BACKUP: '1 "Backup"', FAULT: '3 "Fault"' }
    const { instances } = await a.status()
    assert.deepEqual(
      instances.map((it) => it.state),
      ['MASTER', 'FAULT'],
    )
    for (const [i, path] of [first, second].entries()) {
      const it = instances[i]
      assert.equal(await property(one, path, 'Name'), `(s) "${it?.name}"`)
      const word = words[it?.state as keyof typeof words]
      assert.equal(await property(one, path, 'State'), `(us) ${word}`)
    }
    const { stdout } = await busctl(one, 'introspect', name, first, instanceInterface)
    const lines = stdout.split('\n').map((line) => line.trim().split(/ +/).join(' '))
    assert.deepEqual(lines.slice(1, -1), [
      '.SendGarp method - - -',
      '.Name property (s) - const',
      '.State property (us) - emits-change',
      '.VrrpStatusChange signal u - -',
    ])

    await a.stop()
    await onTwo.has('Instance/eth0/51/IPv4 VrrpStatusChange 2')
    await hasState(two, first, '(us) 2 "Master"')
    await onOne.has('Vrrp VrrpStopped')
    // Both were told of from their start to their end, the daemon's own first and last.
    const { all } = onOne
    assert.deepEqual([all[0], all.at(-1)], ['Vrrp VrrpStarted', 'Vrrp VrrpStopped'])
    const codes = (path: string) =>
      all.flatMap((it) => new RegExp(`^${path} VrrpStatusChange (\\d+)$`).exec(it)?.[1] ?? [])
    assert.deepEqual(codes('Instance/eth0/51/IPv4').slice(-2), ['2', '98'])
    assert.deepEqual(codes('Instance/eth_9/52/IPv6').slice(-2), ['3', '98'])
  }))

test('root orders: announcements, dump files, a reload and its reasons; another user reads alone', () =>
  inLab('dbus-orders', async (lab) => {
    const one = await hostWithBus(lab, 'one', 'open')
    const signals = await Signals.open(one)
    const a = startVipd(one, withBus(150) + faulty)
    await served(one)
    await hasState(one, first, '(us) 2 "Master"')
    const order = async (path: string, of: string, member: string) => {
      const { status, stdout, stderr } = await call(one, path, of, member)
      return status === 0 ? stdout.trim() : stderr.trim()
    }

    const wire = await lab.capture()
    assert.equal(await order(first, instanceInterface, 'SendGarp'), '')
    const isOurs = (frame: { kind: string }) => JSON.stringify(frame).includes('172.16.80.100')
    await wire.frames.next('an announcement', soonMs, (it) => it.kind === 'arp' && isOurs(it))
    assert.equal(
      await order(second, instanceInterface, 'SendGarp'),
      'Call failed: V6 is FAULT here: only the master announces its addresses',
    )

    assert.match(await order(daemonPath, daemonInterface, 'PrintData'), /vipd_dumps .*switches/)
    a.configure(withBus(150, 'vipd_dumps /run/lab'))
    assert.equal(await order(daemonPath, daemonInterface, 'ReloadConfig'), '')
    await signals.has('Vrrp VrrpReloaded')
    // The instance that the file has no more was taken out before that is told.
    assert.deepEqual(signals.all.slice(-2), [
      'Instance/eth_9/52/IPv6 VrrpStatusChange 3',
      'Vrrp VrrpReloaded',
    ])
    assert.equal((await paths(one)).includes(second), false)
    for (const [member, file] of [
      ['PrintData', 'keepalived.data'],
      ['PrintStats', 'keepalived.stats'],
      ['PrintStatsClear', 'keepalived.stats'],
    ] as const) {
      await one.must('rm', ['-f', `/run/lab/${file}`])
      assert.equal(await order(daemonPath, daemonInterface, member), '')
      assert.match(one.read(`/run/lab/${file}`) ?? '', /VI_1/)
    }

    a.configure('nonsense {')
    assert.match(
      await order(daemonPath, daemonInterface, 'ReloadConfig'),
      /^Call failed: \/run\/lab\/vipd\.conf:1:/,
    )

    const asNobody = async (path: string, member: string, ...args: string[]) => {
      const as = ['--reuid', '65534', '--clear-groups', '--']
      const send = [
        'dbus-send',
        '--system',
        '--print-reply=literal',
        `--dest=${name}`,
        path,
        member,
      ]
      const { stdout, stderr } = await one.run('setpriv', [...as, ...send, ...args])
      return `${stdout}${stderr}`.trim()
    }
    // Here the bus lets every user through.
    const refused = 'Error org.freedesktop.DBus.Error.AccessDenied:'
    for (const [path, member] of [
      [daemonPath, `${daemonInterface}.ReloadConfig`],
      [first, `${instanceInterface}.SendGarp`],
    ] as const)
      assert.equal(
        await asNobody(path, member),
        `${refused} only root and the daemon’s own user may order this`,
      )
    const get = [
      'org.freedesktop.DBus.Properties.Get',
      `string:${instanceInterface}`,
      'string:State',
    ]
    const state = () => asNobody(first, get[0] ?? '', ...get.slice(1))
    assert.match(await state(), /uint32 2\s+Master/)
    setPolicy(one, 'ours')
    await one.must('busctl', [
      ...['--system', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus'],
      ...['org.freedesktop.DBus', 'ReloadConfig'],
    ])
    assert.match(
      await asNobody(daemonPath, `${daemonInterface}.ReloadConfig`),
      /AccessDenied: Rejected send message/,
    )
    assert.match(await state(), /uint32 2\s+Master/)
  }))
