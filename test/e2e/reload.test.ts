/**
 * A reload while something else goes on: interfaces that are gone, a daemon that stops, addresses that are altered
 * where they are held. The plan of a reload has its tests in test/unit/daemon/reload.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000

type Router = {
  readonly name: string
  readonly interface: string
  readonly vrid: number
  readonly vip: string
  readonly more?: string
}

/** Priority 150, advert_int 0.2, v3. */
const instances = (routers: readonly Router[], globals = ''): string =>
  [
    `global_defs {\n  script_user root\n  vrrp_version 3\n  ${globals}\n}`,
    ...routers.map(
      (r) => `vrrp_instance ${r.name} {
  interface ${r.interface}
  virtual_router_id ${r.vrid}
  priority 150
  advert_int 0.2
  virtual_ipaddress {
    ${r.vip}
  }
  ${r.more ?? ''}
}`,
    ),
  ].join('\n')

/** eth0, and va, which the test may delete. */
async function hostWithTwo(lab: Lab): Promise<Host> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  await host.sh(`ip link add va type veth peer name vb
    ip address add 172.16.81.2/24 dev va; ip link set va up; ip link set vb up`)
  return host
}

const moving: Router = { name: 'VI_1', interface: 'va', vrid: 51, vip: '172.16.81.100' }
const staying: Router = { name: 'VI_2', interface: 'eth0', vrid: 52, vip: '172.16.80.100' }
const said = 'notify_stop "/bin/sh -c \'echo stopped > /run/lab/stopped\'"'

/** Deletes the interface under a master, and waits until its sockets have failed too. */
async function withoutInterface(lab: Lab, more = '') {
  const host = await hostWithTwo(lab)
  const daemon = startVipd(host, instances([moving, { ...staying, more }]))
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await daemon.reaches('VI_2', 'MASTER', soonMs)
  await host.must('ip', ['link', 'delete', 'va'])
  await daemon.reaches('VI_1', 'FAULT', soonMs)
  return { host, daemon }
}

describe('an interface is deleted under a master', { concurrency: 2 }, () => {
  test('the file follows: the instance moves, and a second reload has nothing to do', () =>
    inLab('gone-moves', async (lab) => {
      const { host, daemon } = await withoutInterface(lab)
      const to = { ...moving, interface: 'eth0' }
      daemon.configure(instances([to, staying]))
      const first = await daemon.tryReload()
      assert.equal(first.status, 0, first.text)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(moving.vip, true, soonMs)
      const second = await daemon.tryReload()
      assert.equal(second.status, 0, second.text)
      const { instances: all } = await daemon.status()
      assert.deepEqual(
        all.map((it) => it.state),
        ['MASTER', 'MASTER'],
      )
      assert.equal((await daemon.stop()).status, 0)
    }))

  test('TERM: the daemon stops in order, and the notify_stop of the others runs', () =>
    inLab('gone-stops', async (lab) => {
      const { host, daemon } = await withoutInterface(lab, said)
      assert.equal((await daemon.stop()).status, 0)
      assert.equal(host.read('/run/lab/stopped'), 'stopped\n')
      assert.equal(await host.holds(staying.vip), false)
    }))
})

describe('a daemon that stops', { concurrency: 2 }, () => {
  test('refuses a reload, and no instance of that file ever leads', () =>
    inLab('stopping', async (lab) => {
      const host = await hostWithTwo(lab)
      const wait = 'touch /run/lab/stopping; while test ! -e /run/lab/go; do sleep 0.05; done'
      host.write('/run/lab/wait.sh', `#!/bin/sh\n${wait}\n`, 0o755)
      const globals = 'shutdown_script /run/lab/wait.sh\n  shutdown_script_timeout 60'
      const daemon = startVipd(host, instances([staying], globals))
      await daemon.reaches('VI_2', 'MASTER', soonMs)
      const ending = daemon.stop(soonMs)
      await until('it stops', soonMs, () => host.read('/run/lab/stopping') !== null)
      const owner = { ...moving, interface: 'eth0', more: 'preempt_delay 0' }
      daemon.configure(instances([staying, owner], globals))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 1, answer.text)
      assert.match(answer.text, /stopping/)
      const drained = await daemon.ask('drain')
      assert.match(`${drained.stdout}${drained.stderr}`, /stopping/)
      host.write('/run/lab/go', '')
      assert.equal((await ending).status, 0)
      assert.doesNotMatch(daemon.child.text, /\(VI_1\)/)
      assert.equal(await host.holds(moving.vip), false)
    }))
})

/** `ip monitor` and the kernel's table say what an address went through. */
async function addressLines(host: Host, interfaceName: string): Promise<readonly string[]> {
  const text = await host.must('ip', ['-o', 'address', 'show', 'dev', interfaceName])
  return text.split('\n').map((line) => line.replace(/\s+/g, ' ').trim())
}

describe('addresses that are held are altered', { concurrency: 2 }, () => {
  test('label, scope and broadcast at once; another peer is there before the old one goes', () =>
    inLab('altered', async (lab) => {
      const host = await hostWithTwo(lab)
      const plain =
        '10.7.0.1/32 dev eth0\n    10.7.0.2 peer 10.8.0.1/32 dev eth0\n    fd00::7/128 dev eth0'
      const daemon = startVipd(
        host,
        instances([
          { ...staying, vip: `${staying.vip}\n    } virtual_ipaddress_excluded {\n ${plain}` },
        ]),
      )
      await daemon.reaches('VI_2', 'MASTER', soonMs)
      for (const vip of ['10.7.0.1', '10.7.0.2', 'fd00::7'])
        await host.awaitAddress(vip, true, soonMs)
      const monitor = host.spawn('ip', ['-o', 'monitor', 'address'], { name: 'watch' })
      await until('it watches', soonMs, async () => {
        await host.sh('ip address add 127.0.0.3/32 dev lo; ip address del 127.0.0.3/32 dev lo')
        return monitor.text.includes('127.0.0.3')
      })
      const other =
        '10.7.0.1/32 brd 10.7.0.255 dev eth0 scope link label eth0:a\n    10.7.0.2 peer 10.8.0.2/32 dev eth0\n    fd00::7/64 dev eth0'
      daemon.configure(
        instances([
          { ...staying, vip: `${staying.vip}\n    } virtual_ipaddress_excluded {\n ${other}` },
        ]),
      )
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 0, answer.text)
      await monitor.line(/Deleted.* 10\.7\.0\.2 peer 10\.8\.0\.1/, soonMs)
      const lines = (await addressLines(host, 'eth0')).filter((line) =>
        /10\.7\.0|fd00::7/.test(line),
      )
      assert.equal(lines.length, 3, lines.join('\n'))
      const found = (pattern: RegExp) =>
        assert.ok(
          lines.some((line) => pattern.test(line)),
          `${pattern} in ${lines.join('\n')}`,
        )
      found(/10\.7\.0\.1\/32 brd 10\.7\.0\.255 scope link (dynamic )?eth0:a/)
      found(/10\.7\.0\.2 peer 10\.8\.0\.2\/32/)
      found(/fd00::7\/64/)
      const news = monitor.output.items.map(({ text }) => text)
      const at = (pattern: RegExp) => news.findIndex((line) => pattern.test(line))
      const [come, gone] = [
        at(/^\d.* 10\.7\.0\.2 peer 10\.8\.0\.2/),
        at(/Deleted.* 10\.7\.0\.2 peer 10\.8\.0\.1/),
      ]
      assert.ok(come >= 0 && come < gone, news.join('\n'))
      assert.doesNotMatch(daemon.child.text, /removed by another program/)
      assert.equal((await daemon.status()).instances[0]?.state, 'MASTER')
    }))
})

describe('what was taken at start', { concurrency: 2 }, () => {
  test('vipd_liveness reaches the engine; what only a restart can change is named, each time', () =>
    inLab('liveness', async (lab) => {
      const host = await hostWithTwo(lab)
      const daemon = startVipd(host, instances([staying], 'vipd_liveness 1'))
      await daemon.reaches('VI_2', 'MASTER', soonMs)
      daemon.configure(instances([staying], 'vipd_liveness 20\n  vrrp_rt_priority 40'))
      const first = await daemon.tryReload()
      assert.match(first.text, /vipd_liveness: altered/)
      assert.match(first.text, /vrrp_rt_priority: needs a restart/)
      const second = await daemon.tryReload()
      assert.doesNotMatch(second.text, /vipd_liveness/)
      assert.match(second.text, /vrrp_rt_priority: needs a restart/)
      // Adverts go on for longer than the old bound without the main thread.
      const capture = await lab.capture()
      await capture.advert('it speaks', soonMs, (a) => a.vrid === 52)
      const mark = capture.mark
      const seen = () => capture.adverts((a) => a.vrid === 52, mark)
      for (let n = 1; n <= 16; n++)
        await capture.advert(
          `advert ${n}`,
          soonMs,
          (a) => a.vrid === 52 && seen().length >= n,
          mark,
        )
      assert.deepEqual([...new Set(seen().map((a) => a.priority))], [150])
      assert.deepEqual(
        daemon.transitions.items.map((t) => t.to),
        ['BACKUP', 'MASTER'],
      )
    }))

  test('an interface that is gone meanwhile is the fault of its instance, not of the file', () =>
    inLab('absent', async (lab) => {
      const { daemon } = await withoutInterface(lab)
      daemon.configure(instances([moving, { ...staying, vip: '172.16.80.101' }]))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 0, answer.text)
      assert.match(answer.text, /VI_2: altered/)
      const states = (await daemon.status()).instances.map((it) => `${it.name} ${it.state}`)
      assert.deepEqual(states, ['VI_1 FAULT', 'VI_2 MASTER'])
      daemon.configure(instances([{ ...moving, more: 'priority 140' }, staying]))
      const faulty = await daemon.tryReload()
      assert.equal(faulty.status, 0, faulty.text)
    }))
})

describe('the interval of a master', { concurrency: 2 }, () => {
  test('much longer, it is announced at once: no peer that expects the old one takes over', () =>
    inLab('longer', async (lab) => {
      const addresses = (n: number) => ({ addresses: { eth0: [`172.16.80.${n}/24`] } })
      const [one, two] = [await lab.host('one', addresses(2)), await lab.host('two', addresses(3))]
      const master = startVipd(one, conf({ priority: 150, advertInt: 0.2 }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, conf({ priority: 100, advertInt: 0.2 }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await until('the backup hears it', soonMs, async () => {
        const [it] = (await backup.status()).instances
        return it?.state === 'BACKUP' && it.master?.address === '172.16.80.2'
      })
      const moves = backup.transitions.items.length
      const sent = async () => (await master.status()).instances[0]?.adverts.sent ?? 0
      master.configure(conf({ priority: 150, advertInt: 2 }))
      const { status, text } = await master.tryReload()
      assert.equal(status, 0, text)
      const before = await sent()
      await until('two more', soonMs, async () => (await sent()) >= before + 2)
      assert.equal(backup.transitions.items.length, moves, 'nothing changed hands')
    }))
})

describe('unicast instances with one VRID', { concurrency: 2 }, () => {
  const unicast = (name: string, vip: string, peers: readonly string[], source = ''): Router => ({
    name,
    interface: 'eth0',
    vrid: 51,
    vip,
    more: `${source === '' ? '' : `unicast_src_ip ${source}`}
  unicast_peer {
    ${peers.join('\n    ')}
  }`,
  })

  test('two with peers of their own run on one link, and each hears its own', () =>
    inLab('one-vrid', async (lab) => {
      const addresses = (n: number) => ({ addresses: { eth0: [`172.16.80.${n}/24`] } })
      const [host, left, right] = [
        await lab.host('one', addresses(2)),
        await lab.host('left', addresses(3)),
        await lab.host('right', addresses(4)),
      ]
      const [a, b] = ['172.16.80.100', '172.16.80.101']
      const low = (text: string) => text.replaceAll('priority 150', 'priority 100')
      const both = [unicast('VI_A', a, ['172.16.80.3']), unicast('VI_B', b, ['172.16.80.4'])]
      const daemon = startVipd(host, instances(both))
      await daemon.reaches('VI_A', 'MASTER', soonMs)
      await daemon.reaches('VI_B', 'MASTER', soonMs)
      const peerA = startVipd(left, low(instances([unicast('VI_A', a, ['172.16.80.2'])])))
      const peerB = startVipd(right, low(instances([unicast('VI_B', b, ['172.16.80.2'])])))
      await peerA.reaches('VI_A', 'BACKUP', soonMs)
      await peerB.reaches('VI_B', 'BACKUP', soonMs)
      for (const peer of [peerA, peerB])
        await until('it hears the master', soonMs, async () => {
          const [it] = (await peer.status()).instances
          return it?.state === 'BACKUP' && it.master?.address === '172.16.80.2'
        })
      // The source that is in use is written down: the instance goes on.
      const [first, second] = [unicast('VI_A', a, ['172.16.80.3'], '172.16.80.2'), both[1]]
      daemon.configure(instances(second === undefined ? [first] : [first, second]))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 0, answer.text)
      assert.match(answer.text, /VI_A: altered/)
      assert.deepEqual(
        (await daemon.status()).instances.map((it) => [it.state, it.transitions]),
        [
          ['MASTER', 2],
          ['MASTER', 2],
        ],
      )
      await daemon.stop()
      await peerA.reaches('VI_A', 'MASTER', soonMs)
      await peerB.reaches('VI_B', 'MASTER', soonMs)
    }))
})
