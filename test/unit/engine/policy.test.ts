/** The engine's numbers come from TypeScript, all of them, and what is left in C++ says why it is there. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadAddon } from '../../../src/addon/load.ts'
import { us } from '../../../src/base/time.ts'
import type { Addon, NativeCore } from '../../../src/engine/addon.ts'
import { type EnginePolicy, enginePolicy, wardenLateUs } from '../../../src/engine/policy.ts'
import { fc } from '../../property.ts'

const { Core } = loadAddon() as Addon
const peer = Uint8Array.of(10, 0, 0, 2)

function coreWith(policy: EnginePolicy): NativeCore {
  const core = new Core(0, 0, policy)
  core.addLink(1)
  core.addSlot(1, 1, 51, [])
  const onExpiry = { now: [], repeats: [], resign: [], lateUs: us(0), wardenLateUs: us(0) }
  const times = { deadlineUs: us(4e6), restartUs: us(3e6), lateUs: us(1e6), absentUs: us(3e6) }
  const order = { kind: 'follow', now: [], expect: null, ...times, onExpiry } as const
  core.order([{ slot: 1, generation: 1, order }], 0, 0)
  return core
}

const packets = (policy: EnginePolicy): number => {
  const core = coreWith(policy)
  for (let i = 0; i < 200; i++) core.packet(1, peer, 255, Uint8Array.of(0x31, 51, i), 1)
  return core.tick(2).events.length
}

test('the policy that is handed over is the one that counts', () => {
  const { source, slot } = enginePolicy
  assert.equal(packets(enginePolicy), source.burst + slot.burst)
  assert.equal(packets({ ...enginePolicy, source: { ...source, burst: 3 } }), 3 + slot.burst)
  assert.equal(packets({ ...enginePolicy, slot: { ...slot, burst: 1 } }), source.burst + 1)
  assert.equal(packets({ ...enginePolicy, packetsWaiting: 5 }), 5 + slot.burst)
})

test('a pause is unusual by the share of the policy', () => {
  for (const [percent, long] of [
    [150, 1],
    [250, 0],
  ] as const) {
    const core = coreWith({ ...enginePolicy, unusualGapPercent: percent })
    for (const at of [0, 1e6, 2e6, 4e6]) {
      core.packet(1, peer, 255, Uint8Array.of(0x31, 51, 1), at)
      core.tick(at)
    }
    assert.equal(core.gaps(1).long.length, long, `${percent} %`)
  }
})

test('a number that is missing or makes no sense is refused, and named', () => {
  for (const key of Object.keys(enginePolicy) as (keyof EnginePolicy)[]) {
    const { [key]: _, ...others } = enginePolicy
    assert.throws(() => new Core(0, 0, others as EnginePolicy), {
      name: 'TypeError',
      message: new RegExp(key),
    })
  }
  const none = { ...enginePolicy, advertWindowUs: us(0) }
  assert.throws(() => new Core(0, 0, none), { name: 'RangeError', message: /advertWindowUs/ })
})

test('the warden acts before the lead is late, and not at once', () => {
  const lateUs = fc.integer({ min: 2_667, max: 2 ** 40 }).map(us)
  fc.assert(
    fc.property(lateUs, (late) => {
      const warden = wardenLateUs(late)
      assert.ok(warden < late && warden >= 0.75 * late && late - warden <= 100_001)
    }),
  )
  assert.equal(wardenLateUs(us(0)), 1_500)
})

const sources = readdirSync('native', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(cc|h)$/.test(name))
  .map((name) => join('native', name))

/** Spans of time that are mechanism: how two threads of ours meet, whatever the instances' intervals are. */
const spans: readonly string[] = [
  'kNever',
  'kNoDeadline',
  'kNoPromise',
  'kLookAgain',
  'kReapLook',
  'kRousedMax',
  'kSendSlow',
]

/** What `constexpr` numbers of this file lack: a reason, or the right to be here. */
function faults(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line, i) => {
    const [, type, name] = /constexpr ([\w:]+) (k\w+) = [^;]*\d/.exec(line) ?? []
    // A unit is its own reason.
    if (type === undefined || name === undefined || /Per\w+second$/.test(name)) return []
    const where = `${path}:${i + 1}: ${name}`
    if (type === 'Us' && !spans.includes(name)) return [`${where} is a span of time`]
    // The comment stands beside it, above it, or above the row of constants that it belongs to.
    let above = i - 1
    while (/constexpr/.test(lines[above] ?? '')) above -= 1
    return /\/\//.test(line) || /^\s*\/\//.test(lines[above] ?? '')
      ? []
      : [`${where} gives no reason`]
  })
}

test('each number that C++ keeps is mechanism and says why', () => {
  assert.deepEqual(sources.flatMap(faults), [])
})
