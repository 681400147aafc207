/** Sequences of signed adverts: they grow, and outlive seals, slots and processes; an old one is a replay. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { us } from '../../src/base/time.ts'
import type { CoreHarness } from '../../src/engine/core-harness.ts'
import {
  appendix,
  follow,
  hear,
  ip,
  lead,
  leading,
  listening,
  octetsOf,
  sealFor,
  second,
  verdicts,
  wallOf,
} from './seal-vectors.ts'

test('the same advert twice is a replay, and so is an older one; neither restarts the deadline', () => {
  const { D4 } = appendix
  const core = listening(D4, {}, D4)
  assert.deepEqual(hear(core, D4), [])
  assert.equal(core.nextDeadline(), 3 * second + 1)
  assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
  assert.equal(core.nextDeadline(), 3 * second + 1)
  assert.equal(core.counters(1).seals.replayed, 1)
})

test('what a router has sent itself is a replay, also under a new seal; a later one is of another router', () => {
  const { D4 } = appendix
  for (const more of [{}, { monotonic: true }]) {
    const core = leading(more)
    const own = core
      .tick(us(0))
      .effects.flatMap(({ step }) => (step.kind === 'datagram' ? [step.bytes] : []))
    const [first] = own
    assert.ok(first !== undefined && own.length === 1)
    assert.deepEqual(verdicts(hear(core, D4, first)), ['replayed'])
    core.setSeal(1, sealFor(D4, { ...more, activeKey: 7 }))
    assert.deepEqual(verdicts(hear(core, D4, first, 2)), ['replayed'])
    const twin = leading(more)
    twin.setWall(us(wallOf(D4) + second), us(0))
    const [later] = twin.tick(us(0)).effects.map(({ step }) => step)
    assert.ok(later?.kind === 'datagram')
    assert.deepEqual(verdicts(hear(core, D4, later.bytes, 3)), ['verified'])
  }
})

test('a new seal of the same slot knows what was heard under the old one', () => {
  const { D4 } = appendix
  for (const peers of [null, [ip(D4.source)]]) {
    const core = listening(D4, { peers })
    hear(core, D4)
    core.setSeal(1, sealFor(D4, { peers, activeKey: 7 }))
    assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
  }
})

test('a slot that was removed and comes back knows what it has heard; so does another process', () => {
  const { D4 } = appendix
  for (const peers of [null, [ip(D4.source)]]) {
    const core = listening(D4, { peers })
    hear(core, D4)
    const memory = core.sealMemory(1)
    core.removeSlot(1)
    core.addSlot(1, 1, 0x33)
    core.setSeal(1, sealFor(D4, { peers }))
    core.order([{ slot: 1, generation: 2, order: follow(D4, null) }], us(0))
    assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
    const next = listening(D4, { peers })
    next.setSeal(1, sealFor(D4, { peers }), memory)
    assert.deepEqual(next.sealMemory(1).heard, memory.heard)
    assert.deepEqual(verdicts(hear(next, D4, octetsOf(D4), second)), ['replayed'])
  }
})

test('monotonic: another process signs on from the last sequence, though the clock was set back', () => {
  const core = leading({ monotonic: true })
  const [before = 0n] = sequences(core, [0])
  const next = listening(appendix.D4, { monotonic: true })
  next.setWall(us(wallOf(appendix.D4) - 60 * second), us(0))
  next.setSeal(1, sealFor(appendix.D4, { monotonic: true }), core.sealMemory(1))
  next.order([{ slot: 1, generation: 2, order: { kind: 'lead', ...lead(appendix.D4) } }], us(0))
  assert.deepEqual(sequences(next, [0]), [before + 1n])
})

/** What a lead sends, one advert a second. */
function sequences(core: CoreHarness, times: readonly number[]): readonly bigint[] {
  return times.flatMap((at) =>
    core.tick(us(at)).effects.map(({ step }) => {
      assert.ok(step.kind === 'datagram')
      return BigInt(`0x${toHex(step.bytes.subarray(-24, -16))}`)
    }),
  )
}

const growing = (of: readonly bigint[]): boolean =>
  of.every((one, i) => i === 0 || one > (of[i - 1] ?? 0n))

test('the sequence grows: by the clock, with a clock that stands, and one that is set back a little', () => {
  const core = leading()
  const sent = [...sequences(core, [0, second])]
  core.setWall(us(wallOf(appendix.D4) + second), us(2 * second))
  sent.push(...sequences(core, [2 * second]))
  core.setWall(us(wallOf(appendix.D4) - second), us(3 * second))
  sent.push(...sequences(core, [3 * second]))
  assert.equal(sent.length, 4)
  assert.ok(growing(sent), sent.join())
  assert.equal((sent[3] ?? 0n) - (sent[2] ?? 0n), 1n)
})

test('set back further than the window: time begins again from the clock, monotonic goes on', () => {
  for (const monotonic of [false, true]) {
    const core = leading({ monotonic })
    const [before = 0n] = sequences(core, [0])
    core.setWall(us(wallOf(appendix.D4) - 60 * second), us(second))
    const [after = 0n] = sequences(core, [second])
    if (monotonic) assert.equal(after, before + 1n)
    else assert.equal((before >> 32n) - (after >> 32n), 60n)
  }
})

test('now, repeats and resign share one sequence, and it survives the slot', () => {
  const core = leading()
  const sent = [...sequences(core, [0, second])]
  core.order(
    [{ slot: 1, generation: 3, order: { kind: 'idle', now: lead(appendix.D4).resign } }],
    us(second),
  )
  sent.push(...sequences(core, [second]))
  core.removeSlot(1)
  core.addSlot(1, 1, 0x33)
  core.setSeal(1, sealFor(appendix.D4))
  core.order(
    [{ slot: 1, generation: 4, order: { kind: 'lead', ...lead(appendix.D4) } }],
    us(second),
  )
  sent.push(...sequences(core, [second]))
  assert.equal(sent.length, 4)
  assert.ok(growing(sent), sent.join())
})
