/** The core under random orders, packets and instants, drawn from a seed. Also run under the sanitizers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import { type CoreHarness, makeCore, type Outcome } from '../../src/engine/core-harness.ts'
import type { Order } from '../../src/engine/order.ts'
import { followUntil, frame, lead, link, markOf, peer, request, second } from './core-bench.ts'

/** Draws below n. */
function generator(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % n
  }
}

test('the next deadline is the earliest of many, whatever restarts', () => {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  const due = new Map<number, number>()
  const draw = generator(12345)
  let now = 0
  for (let slot = 1; slot <= 255; slot++) {
    core.addSlot(slot, link, slot)
    const expect = { from: peer, ttl: 255, payload: Uint8Array.of(0x31, slot) }
    const deadlineUs = us(second + draw(second))
    due.set(slot, deadlineUs)
    const order = { ...followUntil(deadlineUs), expect, restartUs: us(second) } as Order
    core.order([{ slot, generation: 1, order }], us(0))
  }
  for (let i = 0; i < 5000; i++) {
    now += draw(50)
    const slot = 1 + draw(255)
    core.packet({ link, from: peer, ttl: 255, payload: Uint8Array.of(0x31, slot) }, us(now))
    due.set(slot, now + second)
    assert.equal(core.nextDeadline(), Math.min(...due.values()))
  }
})

/** Eight slots to which anything happens. */
class Life {
  readonly #draw: (n: number) => number
  readonly #core: CoreHarness
  /** Slots that must not repeat anything. */
  readonly #idle = new Set<number>()
  /** Generation of the last order of each slot: an older event crossed it and is dropped. */
  readonly #last = new Map<number, number>()
  #now = 0
  #generation = 0

  constructor(seed: number) {
    this.#draw = generator(seed)
    this.#core = makeCore(us(this.#draw(2) * 3 * second), us(0))
    this.#core.addLink(link)
    for (let slot = 1; slot <= 8; slot++) {
      this.#core.addSlot(slot, link, slot)
      this.#idle.add(slot)
    }
  }

  step(): void {
    const draw = this.#draw
    this.#now += draw(3) === 0 ? draw(2 * second) : draw(2000)
    const choice = draw(8)
    if (choice < 4) this.#order(choice)
    else if (choice < 7) this.#packet()
    else this.#core.renew(us(this.#now))
    if (draw(2) === 0) return
    this.#check(this.#core.tick(us(this.#now), () => (draw(9) === 0 ? 100 : 0)))
  }

  #order(choice: number): void {
    const draw = this.#draw
    const slot = 1 + draw(8)
    const orders: readonly Order[] = [
      { kind: 'idle', now: [] },
      followUntil(this.#now + draw(4 * second), {}, [request(5)]),
      lead({ now: [], lateUs: us(draw(3 * second)) }),
      { kind: 'once', now: [frame(2), frame(2)] },
    ]
    const order = orders[choice] ?? assert.fail()
    this.#generation += 1
    this.#last.set(slot, this.#generation)
    const acknowledged = draw(4) === 0 ? 0 : undefined
    this.#core.order([{ slot, generation: this.#generation, order }], us(this.#now), acknowledged)
    if (order.kind === 'idle') this.#idle.add(slot)
    else if (order.kind !== 'once') this.#idle.delete(slot)
  }

  #packet(): void {
    const payload = Uint8Array.from([0x31, 1 + this.#draw(8), 100, 1].slice(0, this.#draw(6)))
    this.#core.packet({ link, from: peer, ttl: 255, payload }, us(this.#now))
  }

  #check({ effects, events }: Outcome): void {
    const repeated = effects.filter((e) => markOf(e.step) === 'datagram 1').map((e) => e.slot)
    assert.deepEqual(
      repeated.filter((slot) => this.#idle.has(slot)),
      [],
    )
    for (const event of events) {
      if (event.kind !== 'late' && event.kind !== 'lapsed') continue
      assert.ok(event.generation <= this.#generation)
      if (event.generation === this.#last.get(event.slot)) this.#idle.add(event.slot)
    }
    const next = this.#core.nextDeadline()
    assert.ok(next === null || next > this.#now, `${next} is not after ${this.#now}`)
  }
}

test('random lives: an idle slot repeats nothing, and no deadline stays in the past', (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const life = new Life(seed)
    try {
      for (let i = 0; i < 500; i++) life.step()
    } catch (error) {
      t.diagnostic(`seed ${seed}`)
      throw error
    }
  }
})
