/**
 * One daemon and its operator: reload, stop, leftovers of a predecessor, other programs that meddle with addresses
 * and interfaces, several daemons on one machine, and sync groups.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { conf, inLab, start } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 60_000
const intervalMs = 200

const alone = (lab: Lab): Promise<Host> =>
  lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })

type Router = {
  readonly name: string
  readonly vrid: number
  readonly priority: number
  readonly vip: string
}

/** Several instances on eth0, advert_int 0.2, v3. */
const instances = (routers: readonly Router[], rest = ''): string =>
  [
    'global_defs {\n  script_user root\n  vrrp_version 3\n}',
    ...routers.map(
      (r) => `vrrp_instance ${r.name} {
  interface eth0
  virtual_router_id ${r.vrid}
  priority ${r.priority}
  advert_int 0.2
  virtual_ipaddress {
    ${r.vip}
  }
}`,
    ),
    rest,
  ].join('\n')

const first: Router = { name: 'VI_1', vrid: 51, priority: 150, vip }
const second: Router = { name: 'VI_2', vrid: 52, priority: 150, vip: '172.16.80.101' }

/** Longest time between two adverts of the VRID since `from`, milliseconds. */
function longestGapMs(capture: Capture, vrid: number, from: number): number {
  const all = capture.adverts((a) => a.vrid === vrid, from)
  return Math.max(...all.slice(1).map((advert, i) => advert.atMs - (all[i]?.atMs ?? 0)))
}

async function twoMasters(lab: Lab): Promise<{ host: Host; daemon: Vipd; capture: Capture }> {
  const host = await alone(lab)
  const capture = await lab.capture()
  const daemon = startVipd(host, instances([first, second]))
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await daemon.reaches('VI_2', 'MASTER', soonMs)
  await capture.advert('VI_1 speaks', soonMs, (a) => a.vrid === 51)
  return { host, daemon, capture }
}

/** Five more adverts of VI_1, all with its priority: what went on around them did not touch it. */
async function undisturbed(capture: Capture, daemon: Vipd, from: number): Promise<void> {
  const mark = capture.mark
  for (let n = 1; n <= 5; n++) {
    const seen = (a: { vrid: number }) => a.vrid === 51
    const enough = () => capture.adverts(seen, mark).length >= n
    await capture.advert(`advert ${n} of VI_1`, soonMs, (a) => seen(a) && enough(), mark)
  }
  const gapMs = longestGapMs(capture, 51, from)
  assert.ok(gapMs < 1.8 * intervalMs, `VI_1 was silent for ${gapMs.toFixed(1)} ms`)
  assert.deepEqual(
    [...new Set(capture.adverts((a) => a.vrid === 51, from).map((a) => a.priority))],
    [150],
  )
  const moves = daemon.transitions.items.filter((t) => t.instance === 'VI_1')
  assert.deepEqual(
    moves.map((t) => t.to),
    ['BACKUP', 'MASTER'],
  )
}

describe('reload', { concurrency: 2 }, () => {
  test('an unchanged instance misses no advert and makes no transition', () =>
    inLab('reload', async (lab) => {
      const { daemon, capture } = await twoMasters(lab)
      const from = capture.mark
      daemon.configure(instances([first, { ...second, priority: 120 }]))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 0, answer.text)
      await capture.advert(
        'VI_2 with its new priority',
        soonMs,
        (a) => a.vrid === 52 && a.priority === 120,
        from,
      )
      await undisturbed(capture, daemon, from)
      assert.equal((await daemon.status()).config.lastReload, 'ok')
    }))

  test('SIGHUP: an instance and an address come and go beside it', () =>
    inLab('reload', async (lab) => {
      const { host, daemon, capture } = await twoMasters(lab)
      const from = capture.mark
      daemon.configure(
        instances([first, { name: 'VI_3', vrid: 53, priority: 100, vip: '172.16.80.103' }]),
      )
      await daemon.reload()
      await capture.advert('VI_2 resigns', soonMs, (a) => a.vrid === 52 && a.priority === 0, from)
      await host.awaitAddress('172.16.80.101', false, soonMs)
      await daemon.reaches('VI_3', 'MASTER', soonMs)
      await host.awaitAddress('172.16.80.103', true, soonMs)
      await undisturbed(capture, daemon, from)
    }))

  test('a configuration that does not validate changes nothing', () =>
    inLab('reload', async (lab) => {
      const { host, daemon, capture } = await twoMasters(lab)
      const from = capture.mark
      daemon.configure(
        instances([{ ...first, priority: 90 }], 'vrrp_instance broken {\n  priority 100\n}'),
      )
      const answer = await daemon.tryReload()
      assert.notEqual(answer.status, 0)
      assert.match(answer.text, /virtual_router_id|interface/)
      await undisturbed(capture, daemon, from)
      const status = await daemon.status()
      assert.equal(status.config.lastReload, 'rejected')
      assert.deepEqual(
        status.instances.map((i) => i.state),
        ['MASTER', 'MASTER'],
      )
      assert.equal(await host.holds('172.16.80.101'), true)
    }))
})

describe('one daemon', { concurrency: 4 }, () => {
  test('SIGTERM: priority 0, addresses gone, exit status 0', () =>
    inLab('stop', async (lab) => {
      const { host, daemon, capture } = await twoMasters(lab)
      const from = capture.mark
      assert.deepEqual(await daemon.stop(), { status: 0, signal: null })
      for (const vrid of [51, 52]) {
        await capture.advert(
          `resignation of ${vrid}`,
          soonMs,
          (a) => a.vrid === vrid && a.priority === 0,
          from,
        )
      }
      assert.deepEqual((await host.addresses()).get('eth0'), [
        '172.16.80.2/24',
        ...(await linkLocal(host)),
      ])
    }))

  test('an address that another program deletes is put back in milliseconds', (t) =>
    inLab('deleted', async (lab) => {
      const host = await alone(lab)
      const daemon = startVipd(host, conf({ priority: 150 }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
      const from = host.changes.items.length
      await host.must('ip', ['address', 'delete', `${vip}/32`, 'dev', 'eth0'])
      const gone = await host.changes.next(
        'gone',
        soonMs,
        (c) => c.address === vip && !c.present,
        from,
      )
      const back = await host.changes.next(
        'back',
        soonMs,
        (c) => c.address === vip && c.present,
        from,
      )
      t.diagnostic(`back after ${(back.atMs - gone.atMs).toFixed(2)} ms`)
      assert.ok(back.atMs - gone.atMs < 1_000)
      assert.deepEqual(
        daemon.transitions.items.map((x) => x.to),
        ['BACKUP', 'MASTER'],
      )
    }))

  test('several daemons on one machine; a run directory is taken once', () =>
    inLab('several', async (lab) => {
      const host = await alone(lab)
      const a = startVipd(host, instances([first]), 'a')
      const b = startVipd(host, instances([second]), 'b')
      await a.reaches('VI_1', 'MASTER', soonMs)
      await b.reaches('VI_2', 'MASTER', soonMs)
      assert.deepEqual(
        (await a.status()).instances.map((i) => i.name),
        ['VI_1'],
      )
      assert.deepEqual(
        (await b.status()).instances.map((i) => i.name),
        ['VI_2'],
      )
      const late = startVipd(host, instances([first]), 'a')
      assert.notEqual((await late.child.ended(soonMs)).status, 0)
      assert.equal((await a.status()).instances[0]?.state, 'MASTER')
      await a.stop()
      assert.equal(await host.holds(vip), false)
      assert.equal(await host.holds('172.16.80.101'), true)
    }))

  test('an interface that is deleted and comes back with another index', () =>
    inLab('index', async (lab) => {
      const host = await alone(lab)
      const daemon = startVipd(host, conf({ priority: 150 }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const index = () => host.sh('ip -o link show eth0 | cut -d: -f1')
      const before = await index()
      await lab.disconnect(host)
      await daemon.reaches('VI_1', 'FAULT', soonMs)
      await host.sh('ip link add eth7 type veth peer name eth8')
      await lab.connect(host, 'eth0', ['172.16.80.2/24'])
      assert.notEqual(await index(), before)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
    }))

  test('carrier loss is a fault, and carrier heals it', () =>
    inLab('carrier', async (lab) => {
      const one = await alone(lab)
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      const better = start('vipd', one, conf({ priority: 150 }))
      const other = start('vipd', two, conf({ priority: 100 }))
      await better.reaches('VI_1', 'MASTER', soonMs)
      await lab.unplug(one)
      await better.reaches('VI_1', 'FAULT', soonMs)
      await one.awaitAddress(vip, false, soonMs)
      await other.reaches('VI_1', 'MASTER', soonMs)
      await lab.plug(one)
      await better.reaches('VI_1', 'MASTER', soonMs)
      await other.reaches('VI_1', 'BACKUP', soonMs)
      await two.awaitAddress(vip, false, soonMs)
    }))

  test('a sync group moves as one', () =>
    inLab('group', async (lab) => {
      const open = (name: string, last: number) =>
        lab.host(name, {
          addresses: { eth0: [`172.16.80.${last}/24`], eth1: [`172.16.81.${last}/24`] },
        })
      const one = await open('one', 2)
      const two = await open('two', 3)
      const better = start('vipd', one, group(150))
      const other = start('vipd', two, group(100))
      const both = async (daemon: typeof better, state: 'MASTER' | 'BACKUP' | 'FAULT') => {
        await daemon.reaches('inner', state, soonMs)
        await daemon.reaches('outer', state, soonMs)
        for (const address of ['172.16.80.100', '172.16.81.100']) {
          await daemon.host.awaitAddress(address, state === 'MASTER', soonMs)
        }
      }
      await both(better, 'MASTER')
      await both(other, 'BACKUP')
      await lab.unplug(one, 'eth1')
      await both(better, 'FAULT')
      await both(other, 'MASTER')
      await lab.plug(one, 'eth1')
      await both(better, 'MASTER')
      await both(other, 'BACKUP')
    }))
})

const group = (priority: number): string => {
  const member = (name: string, n: number) => `vrrp_instance ${name} {
  interface eth${n}
  virtual_router_id ${60 + n}
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    172.16.8${n}.100/24
  }
}`
  return [
    'global_defs {\n  script_user root\n  vrrp_version 3\n}',
    'vrrp_sync_group G {\n  group {\n    inner\n    outer\n  }\n}',
    member('inner', 0),
    member('outer', 1),
  ].join('\n')
}

async function linkLocal(host: Host): Promise<readonly string[]> {
  return ((await host.addresses()).get('eth0') ?? []).filter((a) => a.startsWith('fe80:'))
}
