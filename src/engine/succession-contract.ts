/** What an upgrade in place asks of the engines of two processes (docs/upgrading.md). */
import type { Us } from '../base/time.ts'
import type { EngineFigures } from './figures.ts'
import type { OrderFor, SlotId } from './order.ts'

/** An object of the addon; see native/base/exchange.h. */
export type ExchangeHandle = object

/** What the first process has of the second: its number, our end of a connected stream, the shared memory. */
export type Started = {
  readonly pid: number
  readonly channel: number
  /** Takes sockets to it (native/base/descriptors.h). */
  readonly sockets: number
  readonly exchange: ExchangeHandle
}

/**
 * How the slots of one engine become another's, in another process: the first gives them when nothing that it told is
 * unjudged and no advert is due, and is silent from then on; the second takes them in phase. Both are told by `onExchange`.
 */
export type Succession = {
  /** Of the first: the state of the daemon with that number has been passed on; what is told from here on makes it stale. */
  offer(exchange: ExchangeHandle, attempt: number): void
  /** Not with that state, or `forGood` with none. Ineffective once they are given: a flush shows which came first. */
  withdraw(forGood: boolean): void
  /** Of the second: it has been ordered what the state with that number says. Slots by slot of the first. */
  ready(attempt: number, slots: ReadonlyMap<SlotId, SlotId>): void
  /**
   * Of the second, before it has taken the slots: orders since the last call that would have done something at once. They
   * are not carried out.
   */
  takeAltering(): readonly OrderFor[]
  /** Of the first: what it and those before it have counted, for these slots. */
  figures(slots: readonly SlotId[]): EngineFigures
  /** Of the second: its counters go on from there. By slot of its own. */
  countOnFrom(before: EngineFigures): void
}

export type ExchangeEvent =
  /** Of the first: it does nothing any more. Of the second: from here on it answers for the slots. */
  | { readonly what: 'gave' | 'took'; readonly at: Us }
  /** Of the first: there will be no exchange with that process; it goes on. */
  | { readonly what: 'over'; readonly why: string }
export type OnExchange = (event: ExchangeEvent) => void
