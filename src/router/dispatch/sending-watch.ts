/** Whether the adverts of a master leave this host: the engine's figures as `Mute` wants them. */
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { restartUs } from '../../election/effects.ts'
import type { Fault } from '../../election/types.ts'
import type { Engine, EngineEvent } from '../../engine/contract.ts'
import type { SlotId } from '../../engine/order.ts'
import { Mute, type Sending } from './mute.ts'
import type { RateLimitedLog } from './rate-limited-log.ts'
import type { Standing } from './slot-orders.ts'

/** `bound`: it has sockets. */
export type Bound = Standing & { readonly bound: boolean }

export class SendingWatch {
  readonly #slot: SlotId
  readonly #engine: Pick<Engine, 'counters'>
  readonly #log: RateLimitedLog
  readonly #mute = new Mute()

  constructor(slot: SlotId, engine: Pick<Engine, 'counters'>, log: RateLimitedLog) {
    this.#slot = slot
    this.#engine = engine
    this.#log = log
  }

  failed({ stepKind, call, code, at }: EngineEvent & { kind: 'failed' }, bound: boolean): void {
    if (stepKind !== 'datagram' || !bound) return
    const { lastSentUs } = this.#engine.counters(this.#slot)
    this.#mute.failed(`${call}: ${code}`, at, lastSentUs ?? us(0))
  }

  /** Reports a change. True when it has become a fault, for a while. */
  watch({ name, muteMaster }: Instance, now: Us, bound: Bound): boolean {
    const change = this.#ask(now, bound, (sending) => this.#mute.look(sending))
    if (change === null) return false
    const text = `(${name}) ${this.describe(now, bound) ?? 'its adverts leave this host again'}`
    const level = change === 'mute' ? 'warning' : 'info'
    this.#log.write(name, { kind: 'log', level, text }, now)
    if (change === 'heard' || muteMaster === 'report') return false
    this.#mute.resign(now)
    return true
  }

  /** When `watch` may have something to say; null: never. */
  lookAt(now: Us, bound: Bound): Us | null {
    return this.#ask(now, bound, (sending) => this.#mute.due(sending))
  }

  /** Why no other router hears this master; null when its adverts leave. */
  describe(now: Us, bound: Bound): string | null {
    return this.#ask(now, bound, (sending) => this.#mute.describe(sending))
  }

  /** Does what `retryAt` named. True when a fault is lifted. */
  lift(now: Us): boolean {
    return this.#mute.lift(now)
  }

  get retryAt(): Us | null {
    return this.#mute.retryAt
  }
  get faults(): readonly Fault[] {
    return this.#mute.faults
  }

  /** The lead has begun or ended. */
  newState(): void {
    this.#mute.forget()
  }

  snapshot() {
    return this.#mute.snapshot()
  }

  adopt(state: ReturnType<SendingWatch['snapshot']>): void {
    this.#mute.adopt(state)
  }

  #ask<T>(now: Us, bound: Bound, ask: (sending: Sending) => T | null): T | null {
    const { state } = bound.machine
    if (!this.#mute.watches || state.kind !== 'master' || !bound.bound) return null
    const { lastSentUs } = this.#engine.counters(this.#slot)
    const sentAt = us(Math.max(lastSentUs ?? state.since, state.since))
    return ask({ now, sentAt, downUs: restartUs(bound.params, bound.machine) })
  }
}
