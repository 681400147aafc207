/** `vipd_claim_check`: a backup asks for its addresses before it takes them over; what an answer does by `vipd_claim_policy`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { Instance } from '../../../src/config/types.ts'
import type { Order } from '../../../src/engine/order.ts'
import { decodeArp } from '../../../src/wire/arp.ts'
import { arpFrame, zeroIp } from '../wire/claim-frames.ts'
import { advert, arp, mac, one, own, second, vip } from './claim-segment.ts'
import { config, Stage } from './reload/stage.ts'

describe('asked before a take-over', () => {
  const asking = (more: Partial<Instance> = {}): Instance => one({ claimCheck: 'always', ...more })
  const answer = arpFrame({ operation: 2, mac, sender: vip, target: zeroIp, to: own })

  /** A backup, so long before its deadline, in µs. */
  function backup(more: Partial<Instance>, leftUs: number) {
    const stage = new Stage()
    stage.apply(config([asking(more)]))
    stage.settle()
    const it = stage.named('V1')
    const follow = (): Order & { readonly kind: 'follow' } => {
      const standing: Order | undefined = stage.engine.standing.get(it.slot)?.order
      assert.ok(standing?.kind === 'follow')
      return standing
    }
    const { deadlineUs, restartUs } = follow()
    stage.engine.time = deadlineUs - leftUs
    const hears = (frame: Uint8Array, at = us(stage.engine.time)): void => {
      const watch = stage.frames.on(3, arp)
      assert.ok(watch !== undefined)
      stage.dispatcher.onFrames([{ watch: watch.watch, at, count: 1, bytes: frame }])
    }
    const claims = () => stage.happened.filter(({ kind }) => kind === 'claim').length
    return { stage, it, follow, hears, claims, deadlineUs, restartUs }
  }

  test('the question is in the order: from which address, when, and not before the take-over from a lower master', () => {
    const { stage, it, follow } = backup({}, 19_000)
    const { ask } = follow()
    assert.equal(ask?.beforeUs, 20_000)
    const [step] = ask?.plan ?? []
    const probe = step?.kind === 'frame' ? decodeArp(step.bytes) : null
    assert.ok(probe?.ok && probe.value.sender === zeroIp && probe.value.target === vip)
    stage.dispatcher.onEngine([advert(stage, 20)])
    assert.equal(it.state.kind, 'backup')
    assert.equal(follow().ask, undefined)
    assert.deepEqual([...stage.frames.watches], [], 'and no answer is heard')
  })

  test('start: before the first take-over alone', () => {
    const { stage, follow } = backup({ claimCheck: 'start' }, second)
    assert.ok(follow().ask !== undefined)
    stage.expireAll()
    stage.dispatcher.onEngine([advert(stage, 200)])
    assert.equal(follow().ask, undefined)
    const always = backup({}, second)
    always.stage.expireAll()
    always.stage.dispatcher.onEngine([advert(always.stage, 200)])
    assert.ok(always.follow().ask !== undefined)
  })

  test('warn: an answer is told once, and the deadline stands; what comes before the question is none', () => {
    const { stage, follow, hears, claims, deadlineUs } = backup({}, second)
    hears(answer)
    assert.equal(claims(), 0)
    stage.engine.time = deadlineUs - 19_000
    hears(arpFrame({ operation: 1, mac, sender: zeroIp, target: vip }))
    assert.equal(claims(), 0, 'another one that asks')
    hears(answer)
    hears(answer)
    assert.equal(claims(), 1)
    assert.equal(follow().deadlineUs, deadlineUs)
  })

  test('an answer with a MAC address of this host: a second router with the virtual MAC address', () => {
    const { stage, claims, hears, deadlineUs } = backup({}, second)
    stage.engine.time = deadlineUs - 19_000
    hears(arpFrame({ operation: 1, mac: own, sender: zeroIp, target: vip }))
    assert.equal(claims(), 0)
    hears(arpFrame({ operation: 2, mac: own, sender: vip, target: zeroIp, to: mac }))
    assert.equal(claims(), 1)
  })

  test('after a resignation it asks in the second half of the skew time, however long the time of the check is', () => {
    const { stage, it, follow, hears, claims } = backup(
      { claimPolicy: 'refuse', claimCheckUs: us(2 * second) },
      0,
    )
    stage.dispatcher.onEngine([advert(stage, 200)])
    stage.engine.time += 40_000
    stage.dispatcher.onEngine([advert(stage, 0)])
    const resignedAt = stage.engine.time
    const skewUs = follow().deadlineUs - resignedAt
    assert.equal(follow().ask?.beforeUs, Math.floor(skewUs / 2))
    // What the master announced before, and what is read of it a little later.
    hears(answer, us(resignedAt - 20_000))
    stage.engine.time += 10_000
    hears(answer)
    assert.equal(it.state.kind, 'backup')
    assert.equal(claims(), 0)
    stage.engine.time = resignedAt + Math.ceil(skewUs / 2) + 1_000
    hears(answer)
    assert.equal(it.state.kind, 'fault')
  })

  test('wait: until there is no answer, asked ever more rarely, at most a down interval', () => {
    const { stage, follow, hears, deadlineUs, restartUs } = backup({ claimPolicy: 'wait' }, 19_000)
    hears(answer)
    assert.equal(follow().deadlineUs, deadlineUs + 21_000)
    const spans: number[] = []
    for (;;) {
      const before = follow().deadlineUs
      stage.engine.time = before - 1_000
      hears(answer)
      hears(answer)
      const after = follow().deadlineUs
      if (after === before) break
      spans.push(after - stage.engine.time)
    }
    assert.deepEqual(spans.slice(0, 4), [80_000, 160_000, 320_000, 640_000])
    const waited = follow().deadlineUs - deadlineUs
    assert.ok(waited >= restartUs - second && waited <= restartUs + second, `${waited}`)
    stage.expireAll()
    assert.equal(stage.named('V1').state.kind, 'master')
  })

  test('refuse: FAULT that names the machine, and another try after 10 s, then 20 s', () => {
    const { stage, it, follow, hears, claims } = backup({ claimPolicy: 'refuse' }, 19_000)
    const state = (): string => it.state.kind
    hears(answer)
    assert.equal(state(), 'fault')
    assert.equal(claims(), 1)
    assert.match(it.journal.why, /172\.16\.80\.100 .*02:00:00:00:00:99 on eth0/)
    const done = () => it.claimants.past.at({ now: us(0), wallMs: 0 }).map((past) => past.takeOver)
    assert.deepEqual(done(), ['refused'])
    for (const seconds of [10, 20]) {
      stage.engine.time += seconds * second - 1
      stage.dispatcher.tick()
      assert.equal(state(), 'fault')
      stage.engine.time += 1
      stage.dispatcher.tick()
      assert.equal(state(), 'backup')
      stage.engine.time = follow().deadlineUs - 10_000
      hears(answer)
      assert.equal(state(), 'fault')
    }
    assert.deepEqual(done(), ['refused'], 'the same machine is one entry')
  })
})
