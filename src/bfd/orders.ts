/** What follows from a session for the engine: what it repeats, expects and answers, and until when it waits. */
import { maxUs, type Us, us } from '../base/time.ts'
import { type BfdState, bfdDiagnostic, encodeBfd } from '../wire/bfd.ts'
import { advertisedTxUs, type BfdParams, type BfdSession, stepBfd } from './session.ts'

type Repeat = {
  readonly bytes: Uint8Array
  /** Each time shortened by a random share, at least `least` and at most `most` of it (section 6.8.7). */
  readonly everyUs: Us
  readonly shorter: { readonly least: number; readonly most: number }
}

export type BfdOrder = {
  /** Goes out again and again; null: silent (passive, or the peer wants nothing or demands it). */
  readonly repeat: Repeat | null
  /** The answer to a packet with P, at once and beside the repeats. null: no peer. */
  readonly answer: Uint8Array | null
  /** From the last packet on; null: nothing is awaited. */
  readonly detectionUs: Us | null
  /** Instead of `repeat` from the moment at which the detection time is over. */
  readonly onExpiry: Repeat | null
}

export function bfdOrder(session: BfdSession, params: BfdParams): BfdOrder {
  const { peer } = session
  return {
    repeat: repeatOf(session, params),
    answer: peer === null ? null : packetOf(session, params, 'final'),
    detectionUs: detectionUs(session),
    onExpiry: repeatOf(lapsed(session, params), params),
  }
}

/** What is said as the session is taken away: it has not failed (section 6.8.16). null: to no peer. */
export function bfdFarewell(session: BfdSession, params: BfdParams): Uint8Array | null {
  if (session.peer === null) return null
  const diagnostic = bfdDiagnostic.administrativelyDown
  return packetOf({ ...session, state: 'AdminDown', diagnostic }, params, null)
}

function repeatOf(session: BfdSession, params: BfdParams): Repeat | null {
  if (isSilent(session, params)) return null
  const { peer, txUs, polling } = session
  const everyUs = peer === null ? txUs : maxUs(txUs, peer.minRxUs)
  const bytes = packetOf(session, params, polling ? 'poll' : null)
  return { bytes, everyUs, shorter: shorterBy(params) }
}

/** The peer's multiplier times the slower of what it sends and what we take (section 6.8.4). */
export function detectionUs({ peer, rxUs }: BfdSession): Us | null {
  return peer === null ? null : us(peer.multiplier * maxUs(rxUs, peer.minTxUs))
}

function isSilent(session: BfdSession, { passive }: BfdParams): boolean {
  const { peer, state, polling } = session
  if (peer === null) return passive
  if (peer.minRxUs === 0) return true
  return peer.demand && state === 'Up' && peer.state === 'Up' && !polling
}

/** A multiplier of 1 leaves the peer no second packet: at least a tenth shorter (section 6.8.7). */
const shorterBy = ({ multiplier }: BfdParams) => ({ least: multiplier === 1 ? 0.1 : 0, most: 0.25 })

const lapsed = (session: BfdSession, params: BfdParams): BfdSession =>
  stepBfd(session, params, { kind: 'expired' })

const packetOf = (
  session: Omit<BfdSession, 'state'> & { readonly state: BfdState },
  params: BfdParams,
  flag: 'poll' | 'final' | null,
): Uint8Array =>
  encodeBfd({
    state: session.state,
    diagnostic: session.diagnostic,
    poll: flag === 'poll',
    final: flag === 'final',
    demand: false,
    multiplier: params.multiplier,
    myDiscriminator: params.discriminator,
    yourDiscriminator: session.peer?.discriminator ?? 0,
    desiredMinTxUs: advertisedTxUs(session.state, params),
    requiredMinRxUs: params.minRxUs,
  })
