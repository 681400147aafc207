/** The bus is absent, refuses the name, ends, comes back; another process has the name. vipd says so, and goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import {
  busctl,
  isServed,
  name,
  pathOf,
  property,
  Signals,
  served,
  setPolicy,
  soonMs,
  startBus,
} from './bus.ts'

const path = pathOf('eth0', 51)
const config = conf({ priority: 150, globals: 'enable_dbus' })

const warns = (daemon: Vipd, what: RegExp): Promise<boolean> =>
  until(`the status says ${what}`, soonMs, async () =>
    (await daemon.status()).warnings.some((it) => what.test(it)),
  )

const saysNothing = (daemon: Vipd): Promise<boolean> =>
  until('the status says nothing of D-Bus', soonMs, async () =>
    (await daemon.status()).warnings.every((it) => !it.includes('D-Bus')),
  )

test('a bus that is absent, has no policy, ends and comes back; the election notices nothing', () =>
  inLab('dbus-life', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const daemon = startVipd(one, config)
    await daemon.reaches('VI_1', 'MASTER', soonMs)
    await warns(
      daemon,
      /^D-Bus: org\.keepalived\.Vrrp1 is not served at unix:path=.*: connect ENOENT/,
    )

    setPolicy(one, 'none')
    let bus = await startBus(one)
    await warns(daemon, /the policy of the bus does not let this process have the name/)
    setPolicy(one, 'ours')
    await bus.signal('SIGHUP')
    await served(one)
    await saysNothing(daemon)
    assert.equal(await property(one, path, 'State'), '(us) 2 "Master"')

    await bus.signal('SIGKILL')
    await bus.ended(soonMs)
    await warns(daemon, /is not served/)
    bus = await startBus(one)
    const signals = await Signals.open(one)
    await served(one)
    await saysNothing(daemon)
    assert.equal(await property(one, path, 'State'), '(us) 2 "Master"')
    // The daemon has been told of as started, and what did not change is no change.
    assert.deepEqual(signals.all, [])
    const { instances } = await daemon.status()
    assert.equal(instances[0]?.transitions, 2)

    daemon.configure(conf({ priority: 150 }))
    assert.equal((await daemon.tryReload()).status, 0)
    await until('the name is given up', soonMs, async () => !(await isServed(one)))
    daemon.configure(config)
    assert.equal((await daemon.tryReload()).status, 0)
    await served(one)
  }))

test('two daemons of a host: the second one says who has the name, and gets it after the first', () =>
  inLab('dbus-two', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    setPolicy(one, 'ours')
    await startBus(one)
    const first = startVipd(one, config)
    await served(one)
    const other = config.replace('virtual_router_id 51', 'virtual_router_id 61')
    const second = startVipd(one, other.replace('172.16.80.100', '172.16.80.101'), 'other')
    await second.reaches('VI_1', 'MASTER', soonMs)
    const { pid } = JSON.parse((await first.ask('status', '--json')).stdout) as { pid: number }
    await warns(second, new RegExp(`the name belongs to process ${pid}; vipd is next`))
    await first.stop()
    const mine = pathOf('eth0', 61)
    await until('its objects are under the name', soonMs, async () =>
      (await property(one, mine, 'Name')).startsWith('(s)'),
    )
    await saysNothing(second)

    // With a name of its own it needs no queue. The policy has no such name yet.
    const named = other.replace('enable_dbus', 'enable_dbus\n dbus_service_name org.example.Second')
    second.configure(named)
    assert.equal((await second.tryReload()).status, 0)
    await warns(second, /have the name org\.example\.Second/)
    setPolicy(one, 'open')
    await one.must('busctl', [
      ...['--system', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus'],
      ...['org.freedesktop.DBus', 'ReloadConfig'],
    ])
    await until(
      'it has that name',
      soonMs,
      async () => (await busctl(one, 'status', 'org.example.Second')).status === 0,
    )
    assert.equal((await busctl(one, 'status', name)).status === 0, false)
  }))
