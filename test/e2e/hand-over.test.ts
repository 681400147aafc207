/** Planned hand-overs: the service is moved while it is used, whatever the peer runs, and back again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Client } from '../../src/lab/client.ts'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { serveWeb } from '../../src/lab/serving.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import { conf, type Instance, inLab, start } from './pair.ts'

const vip = '172.16.80.100'
/** What a resignation would cost at the least: the peer's skew. A hand-over costs a fraction of it. */
const skewMs = ((256 - 100) / 256) * 200

async function serving(lab: Lab, name: string, n: number): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`] } })
  await serveWeb(host)
  return host
}

/** vipd as master, the peer as backup, and a client that uses the address. */
async function pair(lab: Lab, peer: DaemonKind, settings: Partial<Instance> = {}) {
  const one = await serving(lab, 'one', 2)
  const two = await serving(lab, 'two', 3)
  const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
  const master = startVipd(one, conf({ priority: 150, ...settings }))
  await master.reaches('VI_1', 'MASTER', 60_000)
  const backup = start(peer, two, conf({ priority: 100, ...settings }))
  await backup.reaches('VI_1', 'BACKUP', 60_000)
  const client = Client.start(desk, vip, 5)
  await client.answeredBy('one', 60_000)
  return { master, backup, client }
}

/** Another virtual router beside VI_1. */
const second = (priority: number, version: 2 | 3 = 3): string => `
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  version ${version}
  priority ${priority}
  advert_int ${version === 2 ? 1 : 0.2}
  virtual_ipaddress {
    172.16.80.101/24
  }
}
`

async function standing(daemon: Vipd) {
  const [instance] = (await daemon.status()).instances
  assert.ok(instance !== undefined)
  return instance
}

describe('planned hand-overs', { concurrency: 2 }, () => {
  test('failover: the peer leads, the client waits for less than a resignation costs; it ends when the peer fails', () =>
    inLab('failover', async (lab) => {
      const { master, backup, client } = await pair(lab, 'vipd')
      const fromMs = nowMs()
      const asked = await master.ask('failover', 'VI_1')
      assert.equal(asked.status, 0, asked.stderr)
      assert.match(asked.stdout, /^VI_1: handed over to 172\.16\.80\.3 after \d\.\d\d s$/m)
      await client.answeredBy('two', 60_000)
      const gaps = client.gaps(fromMs)
      const moved = gaps.find((gap) => gap.before === 'one' && gap.after === 'two')
      assert.ok(moved !== undefined && moved.lastedMs < skewMs, JSON.stringify(gaps))
      const waiting = await standing(master)
      assert.deepEqual([waiting.standsBy, waiting.effectivePriority], ['failover', 1])
      const again = await master.ask('failover', 'VI_1')
      assert.equal(again.status, 1)
      assert.match(again.stderr, /VI_1 is not master here/)
      await backup.kill()
      await master.reaches('VI_1', 'MASTER', 60_000)
      const back = await standing(master)
      assert.deepEqual([back.standsBy, back.effectivePriority], [null, 150])
    }))

  for (const version of [2, 3] as const)
    test(`drain and resume, version ${version}, with keepalived as the peer`, () =>
      inLab(`drain-${version}`, async (lab) => {
        const { master, backup, client } = await pair(lab, 'keepalived', { version })
        const drained = await master.ask('drain')
        assert.equal(drained.status, 0, drained.stdout)
        await backup.reaches('VI_1', 'MASTER', 60_000)
        await client.answeredBy('two', 60_000)
        const { standsBy } = await standing(master)
        assert.equal(standsBy, 'drain')
        const { status, text } = await master.tryReload()
        assert.equal(status, 0, text)
        assert.equal((await standing(master)).effectivePriority, 1, 'a reload changes nothing')
        master.configure(`${conf({ priority: 150, version })}${second(150, version)}`)
        assert.equal((await master.tryReload()).status, 0)
        const [, added] = (await master.status()).instances
        assert.deepEqual([added?.name, added?.standsBy], ['VI_2', 'drain'], 'what it adds, too')
        const one = await master.ask('resume', 'VI_1')
        assert.match(one.stderr, /the whole host is drained/)
        assert.match((await master.ask('resume')).stdout, /^VI_1: takes part as configured$/m)
        await master.reaches('VI_1', 'MASTER', 60_000)
        await client.answeredBy('one', 60_000)
      }))

  for (const peer of ['vipd', 'keepalived'] as const)
    test(`a sync group moves as a whole to ${peer}, whichever member is named`, () =>
      inLab(`group-${peer}`, async (lab) => {
        const group = 'vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}'
        const both = (priority: number) => `${conf({ priority, before: group })}${second(priority)}`
        const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
        const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
        const master = startVipd(one, both(150))
        await master.reaches('VI_2', 'MASTER', 60_000)
        const heir = start(peer, two, both(100))
        await heir.reaches('VI_2', 'BACKUP', 60_000)
        const asked = await master.ask('failover', 'VI_2')
        assert.equal(asked.status, 0, `${asked.stdout}${asked.stderr}`)
        assert.match(asked.stdout, /^VI_1: handed over.*\nVI_2: handed over/)
        for (const name of ['VI_1', 'VI_2']) await heir.reaches(name, 'MASTER', 60_000)
        for (const address of [vip, '172.16.80.101']) {
          await two.awaitAddress(address, true, 60_000)
          await one.awaitAddress(address, false, 60_000)
        }
      }))

  for (const peer of ['vipd', 'keepalived'] as const)
    test(`a weighted check fails: ${peer} that was heard takes over, even with nopreempt, after its skew time`, () =>
      inLab(`demote-${peer}`, async (lab) => {
        const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
        const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
        one.write('/run/lab/good', '')
        const before = `vrrp_script chk {
          script "test -e /run/lab/good"
          interval 0.1
          weight 60
        }`
        const more = 'track_script {\n chk\n }'
        // A plain lower advert would never move it.
        const heir = start(peer, two, conf({ priority: 100, advertInt: 1, more: 'nopreempt' }))
        await heir.reaches('VI_1', 'MASTER', 60_000)
        const master = startVipd(one, conf({ priority: 90, advertInt: 1, before, more }))
        await master.reaches('VI_1', 'MASTER', 60_000)
        await heir.reaches('VI_1', 'BACKUP', 60_000)
        const capture = await lab.capture({ filter: 'ip proto 112' })
        await one.must('rm', ['/run/lab/good'])
        const zero = await capture.advert('the resignation', 60_000, (a) => a.priority === 0)
        const first = await capture.advert('the heir', 60_000, (a) => a.priority === 100)
        const tookMs = first.atMs - zero.atMs
        assert.ok(tookMs < 2_500, `${tookMs} ms instead of a skew time of 609 ms`)
        assert.match((await standing(master)).why, /our priority sank to 90, below 100 of/)
      }))

  test('with no router to take over, or one that does not preempt, all stays as it is, and is said', () =>
    inLab('nobody', async (lab) => {
      const { master, backup } = await pair(lab, 'vipd', { advertInt: 0.1 })
      const nopreempt = conf({ priority: 100, advertInt: 0.1, more: 'nopreempt' })
      const peer = backup as Vipd
      peer.configure(nopreempt)
      assert.equal((await peer.tryReload()).status, 0)
      const kept = await master.ask('failover', 'VI_1')
      assert.equal(kept.status, 1)
      assert.match(
        kept.stdout,
        /^VI_1: still MASTER with its own priority again, no peer took over within \d\.\d\d s/m,
      )
      const { standsBy, effectivePriority } = await standing(master)
      assert.deepEqual([standsBy, effectivePriority], [null, 150])
      assert.equal(backup.state('VI_1'), 'BACKUP')
      const unknown = await master.ask('failover', 'VI_2')
      assert.match(unknown.stderr, /no instance or sync group is called VI_2; there are: VI_1/)
    }))

  test('a drain that moves a part: what stays has its priority back, the host stays drained, status says both', () =>
    inLab('part', async (lab) => {
      const both = (priority: number, more = '') =>
        `${conf({ priority, advertInt: 0.1, more })}${second(priority)}`
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      const master = startVipd(one, both(150))
      for (const name of ['VI_1', 'VI_2']) await master.reaches(name, 'MASTER', 60_000)
      const peer = startVipd(two, both(100, 'nopreempt'))
      for (const name of ['VI_1', 'VI_2']) await peer.reaches(name, 'BACKUP', 60_000)
      const drained = await master.ask('drain')
      assert.equal(drained.status, 1)
      assert.match(
        drained.stdout,
        /^VI_1: still MASTER with its own priority again, no peer took over/m,
      )
      assert.match(drained.stdout, /^VI_2: handed over to 172\.16\.80\.3/m)
      const stands = async () =>
        (await master.status()).instances.map((it) => [it.standsBy, it.effectivePriority])
      assert.deepEqual(await stands(), [
        [null, 150],
        ['drain', 1],
      ])
      assert.deepEqual((await master.status()).warnings, [
        'VI_1 is MASTER although this host is drained: no peer took it over',
        'this host is drained: vipd resume brings it back',
      ])
      // The lead is lost after all: then it stands by as the others do.
      const better = both(100).replace('priority 100', 'priority 200')
      peer.configure(better)
      assert.equal((await peer.tryReload()).status, 0)
      await master.reaches('VI_1', 'BACKUP', 60_000)
      assert.deepEqual(await stands(), [
        ['drain', 1],
        ['drain', 1],
      ])
      const resumed = await master.ask('resume')
      assert.equal(
        resumed.stdout,
        'VI_1: takes part as configured\nVI_2: takes part as configured\n',
      )
      // VI_2 preempts now, and the peer is a second master until it has yielded.
      await until('all is well again', 60_000, async () => {
        const { warnings } = await master.status()
        return warnings.length === 0
      })
    }))
})
