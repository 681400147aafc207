/**
 * A core in virtual time with one slot, and short words for what is ordered and what comes of it. Plans carry
 * a mark in their bytes, so that a step tells where it came from.
 */
import assert from 'node:assert/strict'
import { type Ip, parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { type CoreHarness, makeCore, type Outcome } from '../../src/engine/core-harness.ts'
import type { Lead, Order, Plan, Repeat, Step } from '../../src/engine/order.ts'
import { followPatience, wardenLateUs } from '../../src/engine/policy.ts'

export const second = 1_000_000
export const link = 1
export const vrid = 51

export const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null)
  return parsed
}
export const peer = ip('10.0.0.2')
const group = ip('224.0.0.18')

export const datagram = (...bytes: number[]): Step => ({
  kind: 'datagram',
  link,
  to: group,
  bytes: Uint8Array.from(bytes),
})
export const frame = (mark: number, ifindex = 3): Step => ({
  kind: 'frame',
  ifindex,
  bytes: new Uint8Array(42).fill(mark),
})
export const request = (mark: number): Step => {
  const bytes = new Uint8Array(20)
  bytes.set([20, 0, 0, 0, 20, 0, 5, 0])
  bytes[16] = mark
  return { kind: 'netlink', bytes, tolerate: [17] }
}
/** Which plan a step came from: its bytes carry a mark. */
export const markOf = (step: Step): string => {
  const at = { datagram: 0, frame: 0, netlink: 16 }[step.kind]
  return `${step.kind} ${step.bytes[at]}`
}
export const marks = (outcome: Outcome): readonly string[] =>
  outcome.effects.map((e) => markOf(e.step))

export const advert = (everyUs = second, mark = 1): Repeat => ({
  key: 'advert',
  firstAfterUs: us(everyUs),
  everyUs: us(everyUs),
  plan: [datagram(mark)],
})
export const leadOf = (over: Partial<Lead> = {}): Lead => ({
  now: [datagram(10)],
  repeats: [advert()],
  resign: [datagram(0)],
  lateUs: us(2 * second),
  wardenLateUs: wardenLateUs(us(2 * second)),
  ...over,
})
export const lead = (over: Partial<Lead> = {}): Order => ({ kind: 'lead', ...leadOf(over) })
export const expected = Uint8Array.from([0x31, vrid, 100, 1])
export const followUntil = (deadline: number, over: Partial<Lead> = {}, now: Plan = []): Order => ({
  kind: 'follow',
  now,
  expect: { from: peer, ttl: 255, payload: expected },
  deadlineUs: us(deadline),
  restartUs: us(3 * second),
  ...followPatience(us(3 * second)),
  onExpiry: leadOf(over),
})

/** A core with one slot, and short words for what happens to it. */
export class Bench {
  readonly core: CoreHarness
  #generation = 0

  constructor(livenessUs = 0) {
    this.core = makeCore(us(livenessUs), us(0))
    this.core.addLink(link)
    this.core.addSlot(1, link, vrid)
  }

  order(order: Order, at: number, acknowledged?: number): number {
    this.#generation += 1
    this.core.order([{ slot: 1, generation: this.#generation, order }], us(at), acknowledged)
    return this.#generation
  }

  hear(at: number, payload: Uint8Array = expected, from = peer, ttl = 255): void {
    this.core.packet({ link, from, ttl, payload }, us(at))
  }

  tick(at: number): Outcome {
    return this.core.tick(us(at))
  }
}

export const kinds = (events: readonly EngineEvent[]): readonly string[] =>
  events.map((e) => e.kind)
export const only = <K extends EngineEvent['kind']>(
  events: readonly EngineEvent[],
  kind: K,
): Extract<EngineEvent, { kind: K }> => {
  assert.deepEqual(kinds(events), [kind])
  return events[0] as Extract<EngineEvent, { kind: K }>
}
