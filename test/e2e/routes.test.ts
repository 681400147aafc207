/** Routes and rules that move with an instance: what the kernel holds, beside what keepalived makes of the same file. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'
import { routingState as held, monitorKernel } from './routing-state.ts'

const vip = '172.16.80.100'
const soonMs = 30_000
const command = program('../cli/run.js')
const globals = 'vipd_address_lifetime 0'

const openHost = (lab: Lab, name: string, last: number): Promise<Host> =>
  lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`, `2001:db8:80::${last}/64`] } })

const config = (routes: readonly string[], rules: readonly string[], more = ''): string =>
  conf({
    priority: 150,
    globals,
    more: `${more}
  virtual_routes {
    ${routes.join('\n    ')}
  }
  virtual_rules {
    ${rules.join('\n    ')}
  }`,
  })

const routes = [
  '192.0.2.0/24 via 172.16.80.3 dev eth0',
  `src ${vip} to 192.0.4.0/24 via 172.16.80.3 dev eth0`,
  '192.0.9.0/24 via 172.16.80.3 dev eth0 metric 50 table 300 mtu 1400 advmss lock 1300 initcwnd 10 rto_min lock 300ms congctl cubic window 1000',
  '192.0.10.0/24 nexthop via 172.16.80.3 dev eth0 weight 1 nexthop via 172.16.80.4 dev eth0 weight 3',
  '192.0.13.0/24 via 10.200.0.1 dev eth0 onlink tos 0x10',
  'blackhole 192.0.7.0/24',
  'throw 192.0.8.0/24 table 500',
  '2001:db8:77::/64 via 2001:db8:80::3 dev eth0',
  '2001:db8:78::/64 dev eth0 pref high metric 99',
  'default6 via 2001:db8:80::3 dev eth0 table 400',
  '2001:db8:79::/64 nexthop via 2001:db8:80::3 dev eth0 nexthop via 2001:db8:80::4 dev eth0 weight 2',
]
const rules = [
  `from ${vip} table 300 priority 100`,
  'to 192.0.9.0/24 lookup 300 priority 101',
  'iif eth0 fwmark 0x10/0xff ipproto tcp dport 30-40 table 300 priority 202',
  'from 2001:db8:77::/64 table 400 priority 203',
  'from 192.0.2.0/24 uidrange 5-9 blackhole priority 204',
  'not from 192.0.2.0/24 table 500 priority 206',
  'from 192.0.3.0/24 goto 300 priority 205',
]

const ours = (host: Host) => held(host, '112')
const count = (host: Host, wanted: number) =>
  until(`${wanted} routes and rules`, soonMs, async () => (await ours(host)).length === wanted)

async function master(host: Host, text: string, wanted: number): Promise<Vipd> {
  const daemon = startVipd(host, text)
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await count(host, wanted)
  return daemon
}

const wardenRuns = (host: Host) =>
  until('a warden runs', soonMs, async () =>
    (await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd-warden'])).stdout.trim(),
  )

describe('routes and rules', { concurrency: 2 }, () => {
  test('MASTER has what keepalived has, BACKUP and a stopped daemon nothing', () =>
    inLab('same', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const two = await openHost(lab, 'two', 5)
      const all = routes.length + rules.length
      const keepalived = startKeepalived(two, config(routes, rules))
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      await until('keepalived has them', soonMs, async () => (await held(two, '18')).length === all)
      const theirs = await held(two, '18')
      await keepalived.stop()
      const daemon = await master(one, config(routes, rules), all)
      assert.deepEqual(await ours(one), theirs)
      const better = startVipd(two, config([], []).replace('priority 150', 'priority 200'))
      await daemon.reaches('VI_1', 'BACKUP', soonMs)
      await count(one, 0)
      await better.stop()
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(one, all)
      await daemon.stop()
      assert.deepEqual(await ours(one), [])
    }))

  test('a pair with keepalived and one file: both roles, over and back', () =>
    inLab('mixed', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const two = await openHost(lab, 'two', 5)
      const all = routes.length + rules.length
      const text = (priority: number) =>
        config(routes, rules).replace('priority 150', `priority ${priority}`)
      const keepalived = startKeepalived(two, text(150))
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      const theirs = async (wanted: number) => {
        await until(`keepalived has ${wanted}`, soonMs, async () => {
          return (await held(two, '18')).length === wanted
        })
        return held(two, '18')
      }
      const expected = await theirs(all)
      const daemon = startVipd(one, text(100))
      await daemon.reaches('VI_1', 'BACKUP', soonMs)
      assert.deepEqual(await ours(one), [])
      await lab.unplug(two)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(one, all)
      assert.deepEqual(await ours(one), expected)
      await lab.plug(two)
      await daemon.reaches('VI_1', 'BACKUP', soonMs)
      await count(one, 0)
      await theirs(all)
      daemon.configure(text(200))
      assert.equal((await daemon.tryReload()).status, 0)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await count(one, all)
      await theirs(0)
      await daemon.stop()
      assert.deepEqual(await ours(one), [])
      assert.deepEqual(await theirs(all), expected)
      assert.deepEqual(await keepalived.errors(), {})
    }))

  test('what another program removes is put back without a transition', () =>
    inLab('restored', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const all = routes.length + rules.length
      const untracked = '192.0.11.0/24 via 172.16.80.3 dev eth0 no_track'
      const daemon = await master(host, config([...routes, untracked], rules), all + 1)
      const before = await ours(host)
      await host.must('ip', ['route', 'flush', 'table', 'all', 'proto', '112'])
      await host.must('ip', ['-6', 'route', 'flush', 'table', 'all', 'proto', '112'])
      await host.must('ip', ['rule', 'del', 'priority', '100'])
      await host.must('ip', ['rule', 'del', 'priority', '204'])
      await count(host, all)
      assert.deepEqual(
        await ours(host),
        before.filter((it) => !it.includes('192.0.11.0')),
      )
      await host.must('ip', ['addr', 'del', `${vip}/32`, 'dev', 'eth0'])
      await host.awaitAddress(vip, true, soonMs)
      await count(host, all + 1)
      const { instances } = await daemon.status()
      assert.equal(instances[0]?.state, 'MASTER')
      assert.deepEqual(daemon.transitions.items.map(({ to }) => to).slice(-1), ['MASTER'])
      assert.equal(instances[0]?.transitions, 2)
    }))

  test('what another program replaces is put back without a transition', () =>
    inLab('replaced', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const all = routes.length + rules.length
      const daemon = await master(host, config(routes, rules), all)
      const before = await ours(host)
      const ip = (line: string) => host.must('ip', line.split(' '))
      await ip('route replace 192.0.2.0/24 via 172.16.80.4 dev eth0')
      await ip('route change 192.0.10.0/24 via 172.16.80.4 dev eth0')
      await ip('-6 route replace 2001:db8:77::/64 via 2001:db8:80::4 dev eth0')
      await ip('-6 route replace 2001:db8:78::/64 dev lo metric 99')
      await ip(
        '-6 route replace 2001:db8:79::/64 nexthop via 2001:db8:80::4 dev eth0 nexthop via 2001:db8:80::5 dev eth0',
      )
      await count(host, all)
      assert.deepEqual(await ours(host), before)
      // Theirs stays beside it where the kernel holds both, behind ours; of IPv6 ours has its place again.
      const [first, second] = (await ip('route show 192.0.2.0/24')).trim().split('\n')
      assert.match(first ?? '', /via 172\.16\.80\.3 .*proto (112|vrrp)/)
      assert.match(second ?? '', /via 172\.16\.80\.4 /)
      assert.doesNotMatch(await ip('-6 route show 2001:db8:77::/64'), /2001:db8:80::4/)
      const { instances } = await daemon.status()
      assert.equal(instances[0]?.state, 'MASTER')
      assert.equal(instances[0]?.transitions, 2)
      const said =
        daemon.child.text.match(/the route .* was (replaced|removed) by another program/g) ?? []
      assert.equal(said.filter((it) => it.includes('replaced')).length, 5, said.join('\n'))
      assert.equal(said.length, 5, said.join('\n'))
    }))

  test('routes of another program, by the ten thousand, raise no event', () =>
    inLab('million', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const daemon = await master(host, config(routes, rules), routes.length + rules.length)
      const numbers = Array.from({ length: 20_000 }, (_, i) => i)
      const batch = (verb: string, protocol: number) =>
        numbers
          .map(
            (i) =>
              `route ${verb} 100.${64 + (i >> 14)}.${(i >> 6) & 255}.${(i & 63) * 4}/30 dev eth0 proto ${protocol}\n`,
          )
          .join('')
      const [add, del] = [
        host.write('/run/lab/add', batch('add', 186)),
        host.write('/run/lab/del', batch('del', 187)),
      ]
      const before = (await daemon.status()).engine.eventsRaised
      const replace = host.write('/run/lab/replace', batch('replace', 187))
      const hops = [3, 4].map((last) => `nexthop via 2001:db8:80::${last} dev eth0`).join(' ')
      const six = numbers
        .slice(0, 1000)
        .map((i) => `route replace 2001:db8:f:${i.toString(16)}::/64 ${hops}\n`)
      const both = host.write('/run/lab/six', six.join(''))
      await host.must('ip', ['-batch', add])
      await host.must('ip', ['-batch', replace])
      // The kernel tells of each as of one that replaces another.
      await host.must('ip', ['-6', '-batch', both])
      await host.must('ip', ['-batch', del])
      assert.equal((await daemon.status()).engine.eventsRaised, before)
      // What concerns us still comes.
      await host.must('ip', ['route', 'del', '192.0.2.0/24'])
      await count(host, routes.length + rules.length)
      assert.ok((await daemon.status()).engine.eventsRaised > before)
    }))

  test('a killed daemon: its warden removes hundreds of them', () =>
    inLab('killed', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const numbers = Array.from({ length: 250 }, (_, i) => i)
      const many = numbers.map((i) => `198.18.${i}.0/24 via 172.16.80.3 dev eth0 table 300`)
      const selecting = numbers.map((i) => `from 198.18.${i}.0/24 table 300 priority ${1000 + i}`)
      const daemon = await master(host, config(many, selecting), 500)
      await wardenRuns(host)
      await daemon.kill()
      await count(host, 0)
      await host.awaitAddress(vip, false, soonMs)
    }))

  for (const way of ['vipd cleanup', 'the next start'])
    test(`both killed: ${way} removes what was ours, never the route of another program`, () =>
      inLab('both', async (lab) => {
        const host = await openHost(lab, 'one', 2)
        const foreign = ['route', 'add', '192.0.2.0/24', 'via', '172.16.80.9', 'proto', 'static']
        await host.must('ip', foreign)
        const static7 = '192.0.12.0/24 via 172.16.80.3 dev eth0 protocol 7 no_track'
        const daemon = await master(
          host,
          config([...routes, static7], rules),
          routes.length + rules.length,
        )
        assert.equal((await held(host, '7')).length, 1)
        await wardenRuns(host)
        await host.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
        await daemon.child.ended(soonMs)
        assert.equal((await ours(host)).length, routes.length + rules.length)
        if (way === 'vipd cleanup') {
          const done = await host.run(process.execPath, [
            command,
            'cleanup',
            '--run-dir',
            daemon.runDir,
          ])
          assert.equal(done.status, 0, done.stderr)
          assert.match(done.stdout, /removed the route 192\.0\.10\.0\/24 nexthop/)
          assert.match(done.stdout, /removed the rule from 172\.16\.80\.100 table 300 priority 100/)
        } else {
          const next = startVipd(host, conf({ priority: 150, globals }))
          await next.reaches('VI_1', 'MASTER', soonMs)
        }
        await count(host, 0)
        assert.deepEqual(await held(host, '7'), [])
        assert.match(await host.must('ip', ['route', 'show', '192.0.2.0/24']), /via 172\.16\.80\.9/)
      }))

  test('a reload writes what differs and leaves the rest alone; what two instances share stays with one', () =>
    inLab('reload', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const shared = '192.0.2.0/24 via 172.16.80.3 dev eth0'
      const second = (with2: boolean) => `
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  version 3
  priority 150
  advert_int 0.2
  virtual_ipaddress { 172.16.80.101 }
  virtual_routes { ${with2 ? `\n${shared}\n` : ''} }
}`
      const text = (list: readonly string[], with2: boolean) => config(list, rules) + second(with2)
      const daemon = await master(host, text(routes, true), routes.length + rules.length)
      await daemon.reaches('VI_2', 'MASTER', soonMs)
      const monitor = await monitorKernel(host)
      // One goes (the shared one), one is altered, one comes.
      const changed = [
        ...routes.slice(1).map((it) => it.replace('mtu 1400', 'mtu 1401')),
        '192.0.14.0/24 via 172.16.80.4 dev eth0',
      ]
      daemon.configure(text(changed, true))
      assert.equal((await daemon.tryReload()).status, 0)
      const told = (await monitor.told()).filter((it) => it.includes('proto 112'))
      assert.deepEqual(told.map((it) => it.replace(/ dev eth0.*/, '')).sort(), [
        '192.0.14.0/24 via 172.16.80.4',
        '192.0.9.0/24 via 172.16.80.3',
        'Deleted 192.0.9.0/24 via 172.16.80.3',
      ])
      assert.match(await host.must('ip', ['route', 'show', 'table', '300']), /mtu 1401/)
      daemon.configure(text(changed, false))
      assert.equal((await daemon.tryReload()).status, 0)
      await count(host, routes.length + rules.length)
      assert.equal(await host.must('ip', ['route', 'show', '192.0.2.0/24']), '')
    }))

  test('a route over an interface that is absent waits for it, and status says so', () =>
    inLab('absent', async (lab) => {
      const host = await openHost(lab, 'one', 2)
      const text = config(['192.0.2.0/24 dev later no_track', routes[0] ?? ''], [])
      const daemon = await master(host, text.replace(globals, `${globals}\ndynamic_interfaces`), 1)
      const waits = async () =>
        (await daemon.status()).warnings.find((it) => it.includes('waits for interface later'))
      assert.match((await waits()) ?? '', /VI_1 is MASTER, and the route 192\.0\.2\.0\/24/)
      await host.sh(
        'ip link add later type veth peer name far && ip link set later up && ip link set far up',
      )
      await count(host, 2)
      assert.equal(await waits(), undefined)
      await host.sh('ip link set later down')
      await host.sh('ip link set later up')
      await count(host, 2)
      await host.sh('ip link del later')
      await until('it waits again', soonMs, waits)
      assert.equal((await daemon.status()).instances[0]?.state, 'MASTER')
    }))
})
