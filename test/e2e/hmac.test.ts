/** `auth_hmac` on a pair: fail-over, a main thread that stands still, replays, and the roll-out step by step. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inject } from './packets.ts'
import { conf, type Instance, inLab, start } from './pair.ts'
import { clockAhead } from './skewed-clock.ts'

const soonMs = 30_000
const key = (octet: string): string => `hex:${octet.repeat(32)}`
const k1 = `key 1 ${key('a1')}`
const k2 = `key 2 ${key('b2')}`
const hmac = (...lines: readonly string[]): string => `auth_hmac {\n ${lines.join('\n ')}\n }`
const enforce = hmac(k1, 'active_key 1')

const hosts = async (lab: Lab) => ({
  one: await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } }),
  two: await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } }),
})

type Sealed = {
  readonly state: string
  readonly rejects: Readonly<Record<string, number>>
  readonly authentication: {
    readonly verified: number
    readonly unsigned: number
    readonly senders: readonly { readonly address: string; readonly skewSeconds: number }[]
  } | null
}
const seen = async (daemon: Vipd): Promise<Sealed> => {
  const [instance] = (await daemon.status()).instances
  assert.ok(instance !== undefined)
  return instance as unknown as Sealed
}

const count = (daemon: Vipd, to: string): number =>
  daemon.transitions.items.filter((t) => t.to === to).length

async function pair(lab: Lab, more: string, instance: Partial<Instance> = {}) {
  const { one, two } = await hosts(lab)
  const master = startVipd(one, conf({ priority: 150, more, ...instance }))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startVipd(two, conf({ priority: 100, more, ...instance }))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  return {
    one,
    two,
    master,
    backup,
    capture: await lab.capture({ filter: 'ip proto 112 or ip6 proto 112' }),
  }
}

describe('signed pairs', { concurrency: 2 }, () => {
  for (const [what, instance] of [
    ['version 3', {}],
    ['version 2', { version: 2 }],
    ['IPv6', { vip: 'fe80::100\n fd00::100' }],
  ] as const)
    test(`${what}: steady without JavaScript, killed, and back again`, () =>
      inLab('hmac', async (lab) => {
        const { master, backup, capture, one } = await pair(lab, enforce, instance)
        // The first advert of a master is always told.
        await until('the master is known', soonMs, async () => {
          return (await backup.status()).instances[0]?.master !== null
        })
        const before = (await backup.status()).engine.eventsRaised
        const verified = (await seen(backup)).authentication?.verified ?? 0
        await until('adverts verified', soonMs, async () => {
          return ((await seen(backup)).authentication?.verified ?? 0) > verified + 3
        })
        assert.equal((await backup.status()).engine.eventsRaised, before)
        const mark = capture.mark
        await master.kill()
        await backup.reaches('VI_1', 'MASTER', soonMs)
        // The warden's words, signed by it: the backup did not wait for its down interval.
        const reason = backup.transitions.items.at(-1)?.text ?? ''
        assert.match(reason, /priority 0|resign/, reason)
        assert.ok(capture.adverts((a) => a.priority === 0, mark).length > 0)
        const again = startVipd(one, conf({ priority: 150, more: enforce, ...instance }), 'again')
        await again.reaches('VI_1', 'MASTER', soonMs)
        await backup.reaches('VI_1', 'BACKUP', soonMs)
        assert.deepEqual([await again.errors(), await backup.errors()], [{}, {}])
        const [sender] = (await seen(backup)).authentication?.senders ?? []
        assert.equal(sender?.skewSeconds, 0)
      }))

  test('unicast', () =>
    inLab('hmac-unicast', async (lab) => {
      const { one, two } = await hosts(lab)
      const to = (peer: string): string => `unicast_peer {\n ${peer}\n }\n ${enforce}`
      const master = startVipd(one, conf({ priority: 150, more: to('172.16.80.3') }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, conf({ priority: 100, more: to('172.16.80.2') }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await master.stop()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      assert.deepEqual(await backup.errors(), {})
    }))

  test('keys stay in memory that is locked and in no core dump', () =>
    inLab('hmac-memory', async (lab) => {
      const { one } = await hosts(lab)
      const daemon = startVipd(one, conf({ priority: 150, more: enforce }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const pids = (await one.must('pgrep', ['-x', 'vipd-warden'])).split('\n').filter(Boolean)
      const engine = (await daemon.ask('status', '--json')).stdout
      pids.push(String((JSON.parse(engine) as { readonly pid: number }).pid))
      for (const pid of pids) {
        const maps = await one.must('cat', [`/proc/${pid}/smaps`])
        const seals = maps.slice(maps.indexOf('memfd:vipd-seals'))
        const [flags = ''] = seals.match(/VmFlags:.*/) ?? []
        assert.match(flags, / dd( |$)/, `${pid}: ${flags}`)
        assert.match(flags, / lo( |$)/, `${pid}: ${flags}`)
        const filter = (await one.must('cat', [`/proc/${pid}/coredump_filter`])).trim()
        assert.equal(Number.parseInt(filter, 16), 0x10)
      }
    }))
})

const stallMs = 2_000
const module = new URL('./stall.js', import.meta.url).href

describe('a main thread that stands still for 2 s', { concurrency: 2 }, () => {
  test('neither silences a signed master nor makes a signed backup take over', () =>
    inLab('hmac-stall', async (lab) => {
      const { one, two } = await hosts(lab)
      const run = (host: Host, priority: number): Vipd => {
        const options = [`NODE_OPTIONS=--import=${module}`, `VIPD_TEST_STALL_MS=${stallMs}`]
        const text = conf({ priority, more: enforce, globals: 'vipd_liveness 8' })
        return startVipd(host, text, 'vipd', ['env', ...options])
      }
      const master = run(one, 150)
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = run(two, 100)
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const capture = await lab.capture({ filter: 'ip proto 112' })
      const from = capture.mark
      for (const daemon of [master, backup]) {
        const mark = daemon.child.mark
        await daemon.child.signal('SIGUSR2')
        await daemon.child.line(/stall is over/, soonMs, mark)
      }
      await backup.status()
      const sent = capture.adverts(() => true, from)
      assert.ok(sent.length > (2 * stallMs) / 200 - 5, `${sent.length} adverts`)
      assert.deepEqual([...new Set(sent.map((a) => a.priority))], [150])
      assert.equal(count(backup, 'MASTER'), 0)
      assert.deepEqual(await backup.errors(), {})
    }))
})

describe('what has no key, or is heard twice', { concurrency: 2 }, () => {
  test('a recorded advert takes no lead away and keeps no backup quiet', () =>
    inLab('hmac-replay', async (lab) => {
      const { one, master, backup, capture } = await pair(lab, enforce)
      const recorded = await capture.advert('an advert', soonMs, (a) => a.priority === 150)
      await master.stop()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await inject(one, 'eth0', [recorded.bytes, recorded.bytes])
      await backup.child.line(/replayed authentication trailer from 172\.16\.80\.2/, soonMs)
      assert.equal(backup.state('VI_1'), 'MASTER')
      assert.equal((await seen(backup)).rejects['hmac-replayed'], 2)
      const forged = Uint8Array.from(recorded.bytes)
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
      await inject(one, 'eth0', [forged])
      await backup.child.line(/invalid authentication HMAC from 172\.16\.80\.2/, soonMs)
      assert.deepEqual(
        [
          backup.state('VI_1'),
          count(backup, 'MASTER'),
          (await seen(backup)).rejects['hmac-invalid'],
        ],
        ['MASTER', 1, 1],
      )
    }))

  test('sockets that are opened anew for another source forget no replay', () =>
    inLab('hmac-new-source', async (lab) => {
      const wide = hmac(k1, 'active_key 1', 'time_window 300')
      const { one, two, master, backup, capture } = await pair(lab, wide)
      const recorded = await capture.advert('an advert', soonMs, (a) => a.priority === 150)
      await until('it was heard', soonMs, async () => {
        return ((await seen(backup)).authentication?.verified ?? 0) > 0
      })
      await master.stop()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      const mark = capture.mark
      await two.must('ip', ['addr', 'del', '172.16.80.3/24', 'dev', 'eth0'])
      await two.must('ip', ['addr', 'add', '172.16.80.4/24', 'dev', 'eth0'])
      await capture.advert('the new source', soonMs, (a) => a.from === '172.16.80.4', mark)
      await inject(one, 'eth0', [recorded.bytes])
      await backup.child.line(/replayed authentication trailer from 172\.16\.80\.2/, soonMs)
      assert.equal(backup.state('VI_1'), 'MASTER')
    }))

  test('a peer that does not sign is not believed, and is named with the remedy', () =>
    inLab('hmac-unsigned', async (lab) => {
      const { one, two } = await hosts(lab)
      // A keepalived that leads begins its interval anew with each advert that it drops: one that hears as many as it sends may fall silent.
      const daemon = startVipd(one, conf({ priority: 100, advertInt: 1, more: enforce }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const other = start('keepalived', two, conf({ priority: 150 }))
      await other.reaches('VI_1', 'MASTER', soonMs)
      await daemon.child.line(
        /missing authentication trailer from 172\.16\.80\.3: .*`auth_hmac`/,
        soonMs,
      )
      const warned = await until('a warning', soonMs, async () => {
        return (await daemon.status()).warnings.find((it) => it.includes('ignores the adverts'))
      })
      assert.match(
        warned,
        /VI_1 is MASTER and ignores the adverts of 172\.16\.80\.3 \(hmac-missing\)/,
      )
      assert.equal(daemon.state('VI_1'), 'MASTER')
    }))

  test('an instance whose active key is missing is not run, and a reload to it is refused', () =>
    inLab('hmac-no-key', async (lab) => {
      const { one } = await hosts(lab)
      const daemon = startVipd(one, conf({ priority: 150, more: enforce }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      daemon.configure(conf({ priority: 150, more: hmac(k1, 'active_key 2') }))
      const answer = await daemon.tryReload()
      assert.notEqual(answer.status, 0, answer.text)
      assert.match(answer.text, /active_key 2 is not defined/)
      assert.ok(!answer.text.includes('a1a1'))
      assert.ok(!daemon.child.text.includes('a1a1'))
      assert.equal((await seen(daemon)).state, 'MASTER')
    }))
})

describe('clocks', () => {
  test('more than half the window apart is named and believed; more than all of it is neither silent nor believed', () =>
    inLab('hmac-clocks', async (lab) => {
      const { one, two } = await hosts(lab)
      const config = conf({ priority: 150, more: enforce })
      const ahead = startVipd(one, config, 'ahead', clockAhead(4))
      await ahead.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, conf({ priority: 100, more: enforce }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const named =
        /authentication clock skew [34] sec from 172\.16\.80\.2 approaching window 5 sec/
      await backup.child.line(named, soonMs)
      const { verified = 0 } = (await seen(backup)).authentication ?? {}
      await until('more adverts', soonMs, async () => {
        return ((await seen(backup)).authentication?.verified ?? 0) > verified + 3
      })
      const lines = backup.child.text.split('\n').filter((line) => named.test(line))
      assert.equal(lines.length, 1, 'once')
      const { warnings } = await backup.status()
      const warning =
        /the clock of 172\.16\.80\.2 is [34] s ahead of ours, and auth_hmac allows 5 s/
      assert.ok(
        warnings.some((it) => warning.test(it)),
        warnings.join('\n'),
      )
      const [sender] = (await seen(backup)).authentication?.senders ?? []
      assert.ok(sender !== undefined && [3, 4].includes(sender.skewSeconds))
      assert.equal(count(backup, 'MASTER'), 0)
      await ahead.stop()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      const behind = startVipd(one, config, 'behind', clockAhead(-60))
      await behind.reaches('VI_1', 'MASTER', soonMs)
      await backup.child.line(
        /stale authentication trailer from 172\.16\.80\.2, clock skew (59|60|61) sec exceeds window 5 sec/,
        soonMs,
      )
      assert.equal(backup.state('VI_1'), 'MASTER')
    }))
})

describe('roll-out', () => {
  test('receive-only, permissive, enforce, another key: no step loses an advert', () =>
    inLab('hmac-roll-out', async (lab) => {
      const { master, backup, capture } = await pair(lab, '')
      const steps: readonly (readonly [string, string])[] = [
        ['receive-only', hmac(k1, 'active_key 1', 'mode receive-only')],
        ['permissive', hmac(k1, 'active_key 1', 'mode permissive')],
        ['enforce', enforce],
        ['a second key is known', hmac(k1, k2, 'active_key 1')],
        ['the second key signs', hmac(k1, k2, 'active_key 2')],
        ['the first key is gone', hmac(k2, 'active_key 2')],
      ]
      const heard = async (): Promise<number> =>
        (await backup.status()).instances[0]?.adverts.received ?? 0
      for (const [what, more] of steps) {
        for (const [daemon, priority] of [
          [master, 150],
          [backup, 100],
        ] as const) {
          const mark = capture.mark
          daemon.configure(conf({ priority, more }))
          const answer = await daemon.tryReload()
          assert.equal(answer.status, 0, `${what}: ${answer.text}`)
          const before = await heard()
          await until(`${what}: three adverts`, soonMs, async () => (await heard()) > before + 2)
          const others = capture.adverts((a) => a.priority !== 150, mark)
          assert.deepEqual(others, [], what)
          assert.deepEqual([await master.errors(), await backup.errors()], [{}, {}], what)
        }
      }
      assert.deepEqual([count(master, 'BACKUP'), count(backup, 'MASTER')], [1, 0])
      // And there is no way around it now: the next word of an unsigned master is not believed.
      const { authentication } = await seen(backup)
      assert.ok((authentication?.verified ?? 0) > 0)
    }))
})
