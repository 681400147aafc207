/** The core of the BFD sessions in virtual time: when a lost session takes over, and what is answered without the main thread. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { BfdStanding } from '../../src/engine/bfd-contract.ts'
import { type BfdState, encodeBfd } from '../../src/wire/bfd.ts'
import { type BfdCoreHarness, makeBfdCore } from './bfd-core-harness.ts'

const peer = '10.0.0.2' as Ip
const local = '10.0.0.1' as Ip
const every = 50_000
const detection = 3 * every

const packet = (
  state: BfdState,
  { mine = 2, yours = 1, poll = false, final = false, minTxUs = every } = {},
): Uint8Array =>
  encodeBfd({
    ...{ state, diagnostic: 0, poll, final, demand: false, multiplier: 3 },
    ...{ myDiscriminator: mine, yourDiscriminator: yours },
    ...{ desiredMinTxUs: us(minTxUs), requiredMinRxUs: us(every) },
  })

const theirs = (flags = {}): Uint8Array => packet('Up', flags)
const ours = (state: BfdState, flags = {}): Uint8Array =>
  packet(state, { mine: 1, yours: 2, ...flags })

const repeat = (bytes: Uint8Array, everyUs = every) => ({
  ...{ bytes, everyUs: us(everyUs), shorter: { least: 0, most: 0 } },
})

/** Up, with the first packet heard at 0; its loss is slot 7's take-over. */
const up: BfdStanding = {
  repeat: repeat(ours('Up')),
  answer: ours('Up', { final: true }),
  expect: theirs(),
  detectionUs: us(detection),
  onExpiry: repeat(packet('Down', { mine: 1, yours: 0 }), 1_000_000),
  polling: false,
  heardAt: us(0),
  expiries: 0,
  takeover: [7],
}

function session(standing: BfdStanding = up): BfdCoreHarness {
  const core = makeBfdCore(1)
  const spec = { session: 1, discriminator: 1, peer, local, ifindex: 0, port: 3784 }
  core.add({ ...spec, ttl: 255, minTtl: 255, multihop: false, inherits: null })
  core.order(1, standing, us(0))
  return core
}

const hear = (
  core: BfdCoreHarness,
  bytes: Uint8Array,
  at: number,
  { from = peer, ttl = 255 } = {},
): boolean => core.packet({ from, to: local, ttl, bytes, at: us(at) })

/** Turns whenever it wants to, until then. */
function run(core: BfdCoreHarness, until: number) {
  const all = { sends: 0, lost: [] as { at: Us }[], expired: 0 }
  for (let at = core.nextDeadline(); at !== null && at <= until; at = core.nextDeadline()) {
    const { sends, lost, events } = core.tick(at)
    all.sends += sends.length
    const now = at
    all.lost.push(...lost.map(() => ({ at: now })))
    all.expired += events.filter(({ kind }) => kind === 'expired').length
  }
  return all
}

test('silence for the detection time is the loss of the master, at that instant', () => {
  const core = session()
  assert.deepEqual(run(core, 10 * detection).lost, [{ at: detection }])
})

test('a host that was away for a turn of its own takes nothing over: its peer may have lost it and speaks once a second', () => {
  for (const wokeAt of [
    1.5 * every,
    detection - 1_000,
    detection + 1_000,
    1.9 * detection,
    40 * detection,
  ]) {
    const core = session()
    core.tick(us(0))
    // Its own packets were due at 0, `every`, …: none left while it slept.
    const first = core.tick(us(wokeAt))
    const later = run(core, wokeAt + 10 * detection)
    const lost = [...first.lost, ...later.lost]
    const missed = wokeAt > 2 * every
    assert.equal(lost.length, missed ? 0 : 1, `away until ${wokeAt}`)
    assert.equal(first.events.length + later.expired, 1, 'it is lost all the same')
  }
})

test('heard again, it takes over as before', () => {
  const core = session()
  core.tick(us(0))
  core.tick(us(detection - 1_000))
  assert.ok(hear(core, theirs(), detection - 500))
  const { lost } = run(core, 10 * detection)
  assert.deepEqual(lost, [{ at: 2 * detection - 500 }])
})

test('a neighbour that has said Down is alive, also while the main thread has not looked at it', () => {
  for (const state of ['Down', 'AdminDown'] as const) {
    const core = session()
    run(core, every)
    assert.ok(hear(core, packet(state, { mine: 2, yours: 1 }), every + 10))
    const { lost, expired } = run(core, 10 * detection)
    assert.deepEqual({ lost, expired }, { lost: [], expired: 1 }, state)
  }
})

test('what was said and has been judged counts as heard', () => {
  const core = session()
  run(core, every)
  const changed = packet('Up', { minTxUs: 2 * every })
  hear(core, changed, every + 10)
  core.order(1, { ...up, expect: changed, heardAt: us(every + 10) }, us(every + 500))
  assert.deepEqual(run(core, 10 * detection).lost, [{ at: every + 10 + detection }])
})

test('a packet with P is answered with F at once, and the expected one raises nothing', () => {
  const core = session()
  hear(core, theirs({ poll: true }), 10)
  const { sends, events } = core.tick(us(10))
  const finals = sends.filter(({ bytes }) => ((bytes[1] ?? 0) & 0x10) !== 0)
  assert.deepEqual([finals.length, events.length], [1, 0])
})

test('no session’s: another source, another discriminator, too short; with too small a TTL counted', () => {
  const core = session()
  assert.equal(hear(core, theirs(), 1, { from: '10.0.0.9' as Ip }), false)
  assert.equal(hear(core, packet('Up', { yours: 5 }), 1), false)
  assert.equal(hear(core, theirs().subarray(0, 23), 1), false)
  assert.equal(hear(core, theirs(), 1, { ttl: 254 }), true)
  assert.deepEqual(core.tick(us(1)).events, [])
  assert.equal(core.counters(1).badTtl, 1)
})
