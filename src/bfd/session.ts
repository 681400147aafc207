/**
 * A BFD session as RFC 5880 section 6 describes it, asynchronous mode, without authentication and echo: a value and
 * what events make of it. What follows from it for the engine is `orders.ts`.
 */
import { maxUs, minUs, type Us, us } from '../base/time.ts'
import { type BfdPacket, type BfdState, bfdDiagnostic } from '../wire/bfd.ts'

export type BfdParams = {
  /** Not 0, unique on this host. It stays for the session's life. */
  readonly discriminator: number
  readonly minTxUs: Us
  readonly minRxUs: Us
  /** Instead of `minTxUs` while the session is not Up; at least 1 s (section 6.8.3). */
  readonly idleTxUs: Us
  /** 1 to 255. */
  readonly multiplier: number
  /** Sends nothing before it has heard the peer. */
  readonly passive: boolean
}

/** Of the last packet that counted. */
type Peer = {
  readonly state: BfdState
  readonly diagnostic: number
  readonly discriminator: number
  readonly minTxUs: Us
  readonly minRxUs: Us
  readonly multiplier: number
  readonly demand: boolean
}

export type BfdSession = {
  readonly state: Exclude<BfdState, 'AdminDown'>
  /** Why it went down last; sent until it is Up again. */
  readonly diagnostic: number
  /** null: not heard, or not for a detection time. */
  readonly peer: Peer | null
  /** Ours is under way: P goes out until a packet with F comes. */
  readonly polling: boolean
  /** What this host sends by and waits for at present: a change for the slower, or for less patience, waits for F. */
  readonly txUs: Us
  readonly rxUs: Us
}

export type BfdEvent =
  /** A packet that is this session's by its discriminator or source. */
  | { readonly kind: 'packet'; readonly packet: BfdPacket }
  /** No packet for the detection time. */
  | { readonly kind: 'expired' }
  /** The parameters are others than before, by a reload. */
  | { readonly kind: 'params' }

/** The peer's packet has another discriminator for us than ours (6.8.6): of a session before this one. */
export const isOthers = (packet: BfdPacket, params: BfdParams): boolean =>
  packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== params.discriminator

export const newBfdSession = (params: BfdParams): BfdSession => ({
  state: 'Down',
  diagnostic: bfdDiagnostic.none,
  peer: null,
  polling: false,
  txUs: advertisedTxUs('Down', params),
  rxUs: params.minRxUs,
})

/** bfd.DesiredMinTxInterval, as sent: slow while the session is not Up (6.8.3). */
export const advertisedTxUs = (state: BfdState, { minTxUs, idleTxUs }: BfdParams): Us =>
  state === 'Up' ? minTxUs : maxUs(idleTxUs, slowestUs)

const slowestUs = us(1_000_000)

export function stepBfd(session: BfdSession, params: BfdParams, event: BfdEvent): BfdSession {
  switch (event.kind) {
    case 'packet':
      return heard(session, params, event.packet)
    case 'expired':
      return expired(session, params)
    case 'params':
      return renegotiate(session, params)
  }
}

function heard(session: BfdSession, params: BfdParams, packet: BfdPacket): BfdSession {
  const peer: Peer = {
    state: packet.state,
    diagnostic: packet.diagnostic,
    discriminator: packet.myDiscriminator,
    minTxUs: packet.desiredMinTxUs,
    minRxUs: packet.requiredMinRxUs,
    multiplier: packet.multiplier,
    demand: packet.demand,
  }
  const answered = packet.final ? finished({ ...session, peer }, params) : { ...session, peer }
  const [state, diagnostic] = next(session, packet.state)
  return state === session.state ? answered : enter(answered, params, state, diagnostic)
}

/** The table of section 6.8.6: the new state and why. */
function next(session: BfdSession, received: BfdState): readonly [BfdSession['state'], number] {
  const { state, diagnostic } = session
  const lost = bfdDiagnostic.neighborSignaledDown
  if (received === 'AdminDown') return state === 'Down' ? [state, diagnostic] : ['Down', lost]
  if (state === 'Down') {
    if (received === 'Down') return ['Init', diagnostic]
    return received === 'Init' ? ['Up', bfdDiagnostic.none] : [state, diagnostic]
  }
  if (state === 'Init')
    return received === 'Down' ? [state, diagnostic] : ['Up', bfdDiagnostic.none]
  return received === 'Down' ? ['Down', lost] : [state, diagnostic]
}

/** The peer is forgotten: bfd.RemoteDiscr is 0 again (6.8.1). A peer that is forgotten already leaves nothing to do. */
function expired(session: BfdSession, params: BfdParams): BfdSession {
  const gone = { ...session, peer: null }
  if (session.state === 'Down') return gone
  return enter(gone, params, 'Down', bfdDiagnostic.detectionTimeExpired)
}

/** With the session's state its interval changes. Nothing is in force for a peer that is not Up, so nothing waits for F. */
function enter(
  session: BfdSession,
  params: BfdParams,
  state: BfdSession['state'],
  diagnostic: number,
): BfdSession {
  const txUs = advertisedTxUs(state, params)
  // The peer learns the quicker interval by a poll (6.8.3); it is in force at once.
  return { ...session, state, diagnostic, polling: state === 'Up', txUs, rxUs: params.minRxUs }
}

function renegotiate(session: BfdSession, params: BfdParams): BfdSession {
  const txUs = advertisedTxUs(session.state, params)
  const rxUs = params.minRxUs
  if (session.state !== 'Up') return { ...session, txUs, rxUs }
  // Section 6.8.3: a longer interval of ours, or a shorter one that we demand, only after F.
  const polling = session.polling || txUs !== session.txUs || rxUs !== session.rxUs
  return {
    ...session,
    polling,
    txUs: minUs(txUs, session.txUs),
    rxUs: maxUs(rxUs, session.rxUs),
  }
}

/** F has come: what waited for it is in force. */
const finished = (session: BfdSession, params: BfdParams): BfdSession => ({
  ...session,
  polling: false,
  txUs: advertisedTxUs(session.state, params),
  rxUs: params.minRxUs,
})
