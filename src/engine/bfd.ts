/** The sessions of bfd-contract.ts, carried out by the addon's thread. */
import { errnoName } from '../addon/errno.ts'
import { assert } from '../base/assert.ts'
import { ipBytes } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { NativeBfd } from './addon.ts'
import type {
  Bfd,
  BfdCounters,
  BfdSessionId,
  BfdSpec,
  BfdStanding,
  BfdSuccession,
} from './bfd-contract.ts'
import { native } from './edge.ts'
import { enginePolicy } from './policy.ts'
import type { ExchangeHandle, Started } from './succession-contract.ts'

export class RunningBfd implements Bfd, BfdSuccession {
  readonly realtime: boolean
  readonly #handle: NativeBfd
  readonly #succeeds: ExchangeHandle | null

  /** `succeeds`: with the process before this one, which still runs. */
  constructor(handle: NativeBfd, realtime: boolean, succeeds: ExchangeHandle | null) {
    this.#handle = handle
    this.realtime = realtime
    this.#succeeds = succeeds
  }

  open(spec: BfdSpec): void {
    const peer = ipBytes(spec.peer)
    const local = spec.local === null ? null : ipBytes(spec.local)
    const { trafficClass } = enginePolicy
    native(() => this.#handle.open({ ...spec, peer, local, interface: '', trafficClass }))
  }

  close(session: BfdSessionId, farewell: Uint8Array | null): void {
    this.#handle.close(session, farewell)
  }

  order(session: BfdSessionId, standing: BfdStanding): void {
    this.#handle.order(session, standing)
  }

  counters(session: BfdSessionId): BfdCounters {
    return fromNativeCounters(this.#handle.counters(session))
  }

  unclaimed(): number {
    return this.#handle.unclaimed()
  }

  offer({ exchange, sockets }: Pick<Started, 'exchange' | 'sockets'>, attempt: number) {
    return native(() => this.#handle.offer(exchange, sockets, attempt))
  }

  withdraw(): void {
    this.#handle.withdraw()
  }

  inherit(sockets: number, attempt: number, count: number): void {
    const succeeds = this.#succeeds
    assert(succeeds !== null, 'there is no process before this one')
    native(() => this.#handle.inherit(succeeds, sockets, attempt, count))
  }

  endInheritance(): void {
    this.#handle.endInheritance()
  }

  stop(): void {
    this.#handle.stop()
  }
}

export const fromNativeCounters = (native: ReturnType<NativeBfd['counters']>): BfdCounters => {
  const { sendErrno, lastReceivedUs, longestGapUs, ...counts } = native
  return {
    ...counts,
    sendError: sendErrno === 0 ? null : errnoName(sendErrno),
    lastReceivedUs: heardAt(lastReceivedUs),
    longestGapUs: us(longestGapUs),
  }
}

const heardAt = (at: number): Us | null => (at < 0 ? null : us(at))
