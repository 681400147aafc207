/** Addresses, routes and rules that are there while the daemon runs, beside what keepalived makes of the same file. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'
import { monitorKernel, routingState } from './routing-state.ts'

const soonMs = 30_000
const command = program('../cli/run.js')
const globals = 'vipd_address_lifetime 0'

/** eth0 on the segment, and a link d0 to nowhere. */
async function openHost(lab: Lab, name: string, last: number): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`] } })
  await host.sh('ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up')
  return host
}

const group = `track_group TG {
  group {
    VI_1
  }
}`
const addresses = [
  '10.50.0.1/24 dev d0 track_group TG',
  '10.50.0.2/24 dev d0 label d0:two',
  '2001:db8:50::1/64 dev d0',
]
const routes = [
  '192.0.2.0/24 via 10.50.0.9 dev d0',
  '192.0.3.0/24 via 10.50.0.9 dev d0 metric 50 table 300 mtu 1400',
  'blackhole 192.0.7.0/24',
  '2001:db8:51::/64 via 2001:db8:50::9 dev d0',
]
const rules = [
  'from 192.0.2.0/24 table 300 priority 1000',
  'from 192.0.3.0/24 iif d0 table 300 priority 1001',
  'from 2001:db8:51::/64 table 300 priority 1002',
]
const all = addresses.length + routes.length + rules.length

const statics = (...[given, led, chosen]: readonly (readonly string[])[]): string => `${group}
static_ipaddress {
  ${(given ?? []).join('\n  ')}
}
static_routes {
  ${(led ?? []).join('\n  ')}
}
static_rules {
  ${(chosen ?? []).join('\n  ')}
}`

const config = (before = statics(addresses, routes, rules), priority = 150, more = ''): string =>
  conf({ priority, globals, before, more })

type Shown = {
  readonly addr_info: readonly Readonly<Record<string, unknown>>[]
}

/** Addresses of d0 but the link-local one, routes and rules: what a daemon of that protocol holds. */
async function held(host: Host, protocol: number): Promise<readonly string[]> {
  const shown = JSON.parse(await host.must('ip', ['-j', 'addr', 'show', 'dev', 'd0'])) as Shown[]
  const on = (shown[0]?.addr_info ?? []).filter(({ scope }) => scope === 'global')
  const plain = on.map(({ protocol: _, ...it }) => JSON.stringify(it))
  return [...plain.sort(), ...(await routingState(host, String(protocol)))]
}

const ours = (host: Host) => held(host, 112)
const count = (host: Host, wanted: number) =>
  until(`${wanted} static entries`, soonMs, async () => (await ours(host)).length === wanted)

/** Which of two addresses is the first of its network depends on who put back what when. */
const inAnyOrder = async (host: Host) =>
  (await ours(host)).map((it) => it.replace('"secondary":true,', '')).sort()

const wardenRuns = (host: Host) =>
  until('a warden runs', soonMs, async () =>
    (await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd-warden'])).stdout.trim(),
  )

describe('static entries', { concurrency: 2 }, () => {
  test('BACKUP and MASTER have what keepalived has, a stopped daemon nothing', () =>
    inLab('statics', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const two = await openHost(lab, 'two', 3)
      const keepalived = startKeepalived(two, config())
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      const theirs = await held(two, 18)
      assert.equal(theirs.length, all)
      const daemon = startVipd(one, config(undefined, 100))
      await daemon.reaches('VI_1', 'BACKUP', soonMs)
      assert.deepEqual(await ours(one), theirs)
      await keepalived.stop()
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      assert.deepEqual(await ours(one), theirs)
      assert.deepEqual(await held(two, 18), [])
      const status = await daemon.status()
      assert.deepEqual([...new Set(status.statics.map(({ state }) => state))], ['set'])
      assert.deepEqual(status.warnings, [])
      await daemon.stop()
      assert.deepEqual(await ours(one), [])
    }))

  test('removed by another program: put back; a link that went and came: all is there again', () =>
    inLab('put-back', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const untracked = '10.50.0.3/24 dev d0 no_track'
      const text = config(statics([...addresses, untracked], routes, rules))
      const daemon = startVipd(host, text)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(host, all + 1)
      await host.sh('ip addr del 10.50.0.3/24 dev d0')
      await count(host, all)
      const before = await inAnyOrder(host)
      for (const what of [
        'ip route del 192.0.2.0/24',
        'ip rule del priority 1000',
        'ip addr flush dev d0 scope global',
        'ip route flush proto 112 table all; ip -6 route flush proto 112 table all',
      ]) {
        await host.sh(what)
        await count(host, all)
        assert.deepEqual(await inAnyOrder(host), before, what)
      }
      assert.equal((await daemon.status()).instances[0]?.transitions, 2)
      await host.sh('ip link set d0 down')
      // Of its track_group, through the interface of the address.
      await daemon.reaches('VI_1', 'FAULT', soonMs)
      assert.match((await daemon.status()).instances[0]?.why ?? '', /d0/)
      await host.sh('ip link set d0 up')
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(host, all + 1)
    }))

  test('killed: they stay; the next start leaves them alone, and cleanup removes them', () =>
    inLab('statics-killed', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      await host.sh('ip route add 192.0.2.0/24 dev eth0 proto static metric 7')
      const first = startVipd(host, config())
      await first.reaches('VI_1', 'MASTER', soonMs)
      await count(host, all)
      const before = await ours(host)
      await wardenRuns(host)
      await first.kill()
      await host.awaitAddress('172.16.80.100', false, soonMs)
      assert.deepEqual(await ours(host), before)
      const monitor = await monitorKernel(host)
      const next = startVipd(host, config(statics(addresses, routes.slice(1), rules)))
      await next.reaches('VI_1', 'MASTER', soonMs)
      await count(host, all - 1)
      const removed = (await monitor.told()).filter((it) => it.startsWith('Deleted'))
      assert.deepEqual(
        removed.map((it) => it.replace(/ proto.*/, '')),
        ['Deleted 192.0.2.0/24 via 10.50.0.9 dev d0'],
      )
      await host.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
      await next.child.ended(soonMs)
      const words = ['cleanup', '--run-dir', next.runDir]
      const done = await host.run(process.execPath, [command, ...words])
      assert.equal(done.status, 0, done.stderr)
      assert.match(done.stdout, /removed 10\.50\.0\.1\/24 on d0/)
      assert.deepEqual(await ours(host), [])
      assert.match(await host.must('ip', ['route', 'show', '192.0.2.0/24']), /proto static/)
    }))

  test('a reload writes what differs; what an instance has too stays when it gives it up', () =>
    inLab('statics-reload', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const shared = `virtual_routes {\n    ${routes[0]}\n  }`
      const daemon = startVipd(host, config(undefined, 150, shared))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(host, all)
      const before = await ours(host)
      daemon.configure(config())
      assert.equal((await daemon.tryReload()).status, 0)
      assert.deepEqual(await ours(host), before)
      const monitor = await monitorKernel(host)
      const changed = statics(
        [...addresses.filter((it) => !it.includes('50.0.2')), '10.51.0.1/24 dev d0'],
        [
          ...routes.slice(0, 1),
          ...routes.slice(2).map((it) => it.replace('blackhole', 'prohibit')),
        ],
        rules.slice(1),
      )
      daemon.configure(config(changed))
      const reloaded = await daemon.tryReload()
      assert.equal(reloaded.status, 0)
      assert.match(reloaded.text, /static address 10\.51\.0\.1\/24 dev d0: added/)
      const told = (await monitor.told())
        .filter((it) => / proto (112|vipd)/.test(it) || / inet /.test(it))
        .map((it) => it.replace(/\s+/g, ' ').replace(/ (proto|via|scope|brd) .*/, ''))
      assert.deepEqual(told.sort(), [
        '4: d0 inet 10.51.0.1/24',
        'Deleted 1000: from 192.0.2.0/24 lookup 300',
        'Deleted 192.0.3.0/24',
        'Deleted 4: d0 inet 10.50.0.2/24',
        'Deleted blackhole 192.0.7.0/24',
        'prohibit 192.0.7.0/24',
      ])
    }))

  test('an interface that is absent: they wait for it, and status says so; a source may be static', () =>
    inLab('statics-absent', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: [] } })
      const text = statics(
        ['172.16.80.2/24 dev eth0', '10.50.0.1/24 dev d0'],
        ['192.0.2.0/24 via 10.50.0.9 dev d0'],
      )
      const dynamic = config(text).replace(globals, `${globals}\n  dynamic_interfaces`)
      const daemon = startVipd(host, dynamic)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const came = daemon.transitions.items.map(({ to }) => to)
      assert.deepEqual(came, ['BACKUP', 'MASTER'])
      const states = async () => (await daemon.status()).statics.map(({ state }) => state)
      assert.deepEqual(await states(), ['set', 'waiting', 'waiting'])
      assert.match((await daemon.status()).warnings.join('\n'), /waits for interface d0/)
      await host.sh(
        'ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up',
      )
      await until('all are set', soonMs, async () => !(await states()).includes('waiting'))
      await count(host, 2)
      await host.sh('ip link del d0')
      await until('they wait again', soonMs, async () => (await states())[1] === 'waiting')
    }))
})
