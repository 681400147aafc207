/** Other machines that claimed an address of ours, as they are remembered and kept over restarts (docs/address-claims.md). */

/** What another machine does with an address of ours (wire/claim.ts). */
export type ClaimHow = 'announced' | 'used' | 'answered' | 'probed'

/** A machine that is silent for up to an hour in between stays one entry. */
export type PastClaim = {
  /** When it was told of: with address and MAC address it tells one entry from another. ISO 8601, as the others. */
  readonly at: string
  /** Of its first frame, and of the last one. */
  readonly firstAt: string
  readonly lastAt: string
  readonly address: string
  readonly interface: string
  /** null: of many machines, too many to name; address, interface and how are those of the last one. */
  readonly mac: string | null
  readonly how: ClaimHow
  /** With a MAC address of this host. */
  readonly sameMac: boolean
  /** Frames. */
  readonly count: number
  /** Times that the address was announced on account of it. */
  readonly announced: number
  /** What became of the last take-over before which it answered (`vipd_claim_policy`); null: there was none. */
  readonly takeOver: TakeOver | null
}

export type TakeOver = 'went-on' | 'put-off' | 'refused'

/** As it is kept. */
export type KeptClaim = PastClaim & { readonly instance: string }

/** What two versions of one entry have in common. */
export const claimKey = ({ instance, at, address, mac }: KeptClaim): string =>
  mac === null ? `${instance} ${at}` : `${instance} ${at} ${address} ${mac}`

/** Of each entry the version that was told last, in the order of their times. */
export function newestClaims(claims: Iterable<KeptClaim>): readonly KeptClaim[] {
  const byKey = new Map<string, KeptClaim>()
  for (const claim of claims) byKey.set(claimKey(claim), claim)
  return [...byKey.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/** Any of its time is within the span; milliseconds since 1970. `name`: null is all instances. */
export function claimIsWithin(
  { instance, firstAt, at, lastAt }: KeptClaim,
  span: { readonly name: string | null; readonly sinceMs: number; readonly untilMs: number },
): boolean {
  const endMs = Math.max(Date.parse(at), Date.parse(lastAt))
  const named = span.name === null || instance === span.name
  return named && endMs >= span.sinceMs && Date.parse(firstAt) <= span.untilMs
}

const takeOvers: Readonly<Record<TakeOver, string>> = {
  'went-on': 'the take-over went on',
  'put-off': 'the take-over was put off',
  refused: 'the take-over was refused',
}

/** '10.9.0.100 claimed by 52:54:00:12:34:56 on eth0 (used): 12 frames until 2026-11-28T03:04:11.123Z, announced 2 times' */
export function pastClaimText(claim: PastClaim): string {
  const { address, mac, interface: on, how, sameMac, count, lastAt, announced, takeOver } = claim
  const by = mac ?? 'more machines than are named'
  const same = sameMac ? ', with the MAC address of this host' : ''
  const frames = count === 1 ? '1 frame' : `${count} frames until ${lastAt}`
  const done = [
    ...(announced === 0 ? [] : [`announced ${announced === 1 ? 'once' : `${announced} times`}`]),
    ...(takeOver === null ? [] : [takeOvers[takeOver]]),
  ]
  return `${address} claimed by ${by} on ${on} (${how}${same}): ${[frames, ...done].join(', ')}`
}
