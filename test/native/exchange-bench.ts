/** Two cores in virtual time, of which the second takes the slots of the first, and short words for the turns of their threads. */
import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { loadAddon } from '../../src/addon/load.ts'
import { us } from '../../src/base/time.ts'
import {
  type CoreHarness,
  exchangeState,
  makeCore,
  makeExchange,
} from '../../src/engine/core-harness.ts'
import type { Lead, Order } from '../../src/engine/order.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { lead, link, vrid } from './core-bench.ts'

export const ms = 1_000
export const slots = { first: 1, second: 7 }

/** Two cores, of which the second is held; neither knows the other's slot number. */
export class Two {
  readonly exchange = makeExchange()
  readonly first = this.#core(slots.first)
  readonly second = this.#core(slots.second)

  constructor() {
    this.second.exchange.hold(this.exchange)
  }

  #core(slot: number): CoreHarness {
    const core = makeCore(us(0), us(0))
    core.addLink(link)
    core.addSlot(slot, link, vrid)
    return core
  }

  order(order: Order, at: number): void {
    this.first.order([{ slot: slots.first, generation: 1, order }], us(at))
    this.first.tickBefore(us(at))
  }

  /** By a state that was made at `at`, what is offered as that attempt: `order` says the same to the second. */
  offer(order: Order, at: number, attempt = 1): void {
    this.first.exchange.offer(this.exchange, attempt, us(at))
    this.second.order([{ slot: slots.second, generation: 1, order }], us(at))
    this.second.exchange.ready(attempt, new Map([[slots.first, slots.second]]))
    this.second.exchange.sayReady()
  }

  give(at: number): number {
    const until = this.first.exchange.give(us(at), us(at))
    assert.ok(until !== null, 'nothing was given')
    return until
  }

  take(): void {
    assert.ok(this.second.exchange.takeUp() && this.second.exchange.take(), 'nothing was taken')
  }

  get state(): string {
    return exchangeState(this.exchange)
  }
}

/** A lead that goes on, as the state's order says it: nothing at once, and about in phase. */
export const goingOn = (over: Partial<Lead> = {}): Order => lead({ now: [], ...over })

/** The memory, and what wakes the first and the second. */
export const descriptorsOf = (exchange: ExchangeHandle): readonly [number, number, number] => {
  const addon = loadAddon() as {
    exchangeDescriptors(exchange: ExchangeHandle): readonly [number, number, number]
  }
  return addon.exchangeDescriptors(exchange)
}

/** The same for another to open, which closes them. */
export const copiesOf = (exchange: ExchangeHandle): [number, number, number] => {
  const [memory, ...events] = descriptorsOf(exchange)
  const copy = (fd: number) => openSync(`/proc/self/fd/${fd}`, 'r+')
  return [copy(memory), ...(events.map(() => openSync('/dev/null', 'r+')) as [number, number])]
}
