/** One BFD session: its state over its sockets. What it says to those that track it is `verdict`. */
import type { Us } from '../../base/time.ts'
import { maxUs, us } from '../../base/time.ts'
import { bfdFarewell, bfdOrder } from '../../bfd/orders.ts'
import {
  type BfdEvent,
  type BfdParams,
  type BfdSession,
  isOthers,
  newBfdSession,
  stepBfd,
} from '../../bfd/session.ts'
import type { BfdInstance } from '../../config/types.ts'
import type { Bfd, BfdEngineEvent, BfdSessionId } from '../../engine/bfd-contract.ts'
import type { SlotId } from '../../engine/order.ts'
import { type BfdPacket, decodeBfd, emptyBfdRejects } from '../../wire/bfd.ts'

/** How long a session that begins may take to come up before it counts as down. Both ends idle at 1 s: three packets. */
const firstVerdictUs = us(5_000_000)

/** What another process needs to go on with it, as a plain value. */
export type CarriedRun = {
  /** The same in this one. */
  readonly id: BfdSessionId
  readonly discriminator: number
  readonly session: BfdSession
  readonly verdict: boolean | null
  /** The packet that says nothing new, in hexadecimal. */
  readonly expect: string | null
  readonly expiries: number
  readonly rejects: Readonly<SessionRun['rejects']>
}

/** What a step of it changed. */
export type Stepped = { readonly before: BfdSession; readonly after: BfdSession }

export class SessionRun {
  readonly id: BfdSessionId
  readonly rejects = emptyBfdRejects()
  /** null: not known yet. What the other end switched off has not failed: then it stays as it was. */
  verdict: boolean | null = null
  #cfg: BfdInstance
  readonly #bfd: Bfd
  #params: BfdParams
  #session: BfdSession
  #expect: Uint8Array | null = null
  #expiries = 0
  #takeover: readonly SlotId[] = []

  constructor(cfg: BfdInstance, id: BfdSessionId, bfd: Bfd, discriminator: number) {
    this.#cfg = cfg
    this.id = id
    this.#bfd = bfd
    this.#params = paramsOf(cfg, discriminator)
    this.#session = newBfdSession(this.#params)
  }

  get cfg(): BfdInstance {
    return this.#cfg
  }
  get session(): BfdSession {
    return this.#session
  }
  get discriminator(): number {
    return this.#params.discriminator
  }

  /** Tells the peer that it is switched off, not lost; null: there is no peer to tell. */
  get farewell(): Uint8Array | null {
    return bfdFarewell(this.#session, this.#params)
  }

  /** At which it sends; null: it is silent. */
  get everyUs(): Us | null {
    return bfdOrder(this.#session, this.#params).repeat?.everyUs ?? null
  }

  /** After so long without a packet of ours the peer takes this host for dead (RFC 5880 section 6.8.4); null: it is not Up. */
  get peerDetectionUs(): Us | null {
    const { state, peer, txUs } = this.#session
    if (state !== 'Up' || peer === null) return null
    return us(this.#params.multiplier * maxUs(txUs, peer.minRxUs))
  }

  /** Its sockets are open. */
  begin(): void {
    this.#order(null)
  }

  /** It has no sockets: what another process may have passed on is over, and the other end finds it out by itself. */
  close(): void {
    this.#session = newBfdSession(this.#params)
    this.#expect = null
    this.verdict = false
  }

  snapshot(): CarriedRun {
    const { id, discriminator, session, verdict, rejects } = this
    const expect = this.#expect === null ? null : Buffer.from(this.#expect).toString('hex')
    return { id, discriminator, session, verdict, expect, expiries: this.#expiries, rejects }
  }

  /** Before it is opened: as another process had it. */
  carry({ session, verdict, expect, expiries, rejects }: CarriedRun): void {
    this.#session = session
    this.verdict = verdict
    this.#expect = expect === null ? null : Buffer.from(expect, 'hex')
    this.#expiries = expiries
    Object.assign(this.rejects, rejects)
  }

  /** Other intervals for a session that goes on. */
  reconfigure(cfg: BfdInstance): void {
    this.#cfg = cfg
    this.#params = paramsOf(cfg, this.discriminator)
    this.#session = stepBfd(this.#session, this.#params, { kind: 'params' })
    this.#order(null)
  }

  /** Orders anew where they are others than before. */
  setTakeover(slots: readonly SlotId[]): void {
    if (slots.join() === this.#takeover.join()) return
    this.#takeover = slots
    this.#order(null)
  }

  /** null: it was no packet of this session's. */
  take(event: BfdEngineEvent): Stepped | null {
    this.#expiries = event.expiries
    if (event.kind === 'expired') return this.#step({ kind: 'expired' }, null, null)
    const decoded = decodeBfd(event.packet)
    if (!decoded.ok) {
      this.rejects[decoded.why] += 1
      return null
    }
    const packet = decoded.value
    if (isOthers(packet, this.#params)) return null
    return this.#step({ kind: 'packet', packet }, event.packet, event.at)
  }

  #step(event: BfdEvent, bytes: Uint8Array | null, at: Us | null): Stepped {
    const before = this.#session
    const after = stepBfd(before, this.#params, event)
    this.#session = after
    this.#judge(before)
    this.#expect = event.kind === 'packet' && this.#repeats(event.packet) ? bytes : null
    this.#order(at)
    return { before, after }
  }

  /** The same packet once more would change nothing: it need not be raised. */
  #repeats(packet: BfdPacket): boolean {
    const again = stepBfd(this.#session, this.#params, { kind: 'packet', packet })
    return again.state === this.#session.state
  }

  #judge(before: BfdSession): void {
    const { state, peer } = this.#session
    if (state === 'Up') this.verdict = true
    else if (peer?.state === 'AdminDown') return
    else if (state === 'Down' && (before.state !== 'Down' || this.verdict === null))
      this.verdict = peer === null || before.state !== 'Down' ? false : null
  }

  #order(heardAt: Us | null): void {
    const { repeat, answer, detectionUs, onExpiry } = bfdOrder(this.#session, this.#params)
    const { polling, state, peer } = this.#session
    const waiting = peer === null && this.verdict === null
    this.#bfd.order(this.id, {
      ...{ repeat, answer, onExpiry, polling, heardAt },
      detectionUs: waiting ? firstVerdictUs : detectionUs,
      expect: this.#expect,
      expiries: this.#expiries,
      // One that never was up says nothing about the master.
      takeover: state === 'Up' ? this.#takeover : [],
    })
  }
}

const paramsOf = (
  { minTxUs, minRxUs, idleTxUs, multiplier, passive }: BfdInstance,
  discriminator: number,
): BfdParams => ({
  ...{ discriminator, minTxUs, minRxUs, multiplier, passive },
  idleTxUs: maxUs(idleTxUs, minTxUs),
})
