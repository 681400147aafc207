/** The sessions of bfd-contract.ts, carried out by the addon's thread. */
import { errnoName } from '../addon/errno.ts'
import { ipBytes } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { NativeBfd } from './addon.ts'
import type { Bfd, BfdCounters, BfdSessionId, BfdSpec, BfdStanding } from './bfd-contract.ts'
import { native } from './edge.ts'
import { enginePolicy } from './policy.ts'

export class RunningBfd implements Bfd {
  readonly realtime: boolean
  readonly #handle: NativeBfd

  constructor(handle: NativeBfd, realtime: boolean) {
    this.#handle = handle
    this.realtime = realtime
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
