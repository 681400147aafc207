/**
 * Other machines that claim the addresses of one master: which is reported, and which address is announced again. Frames
 * come in, decisions come out; it knows no socket and no clock.
 *
 * A claim waits for an advert interval before it counts: a new master sends its advert before it announces the addresses,
 * so by then this router has yielded, or knows of a competitor. What comes in the first interval of a lead is the last of
 * the master before.
 */
import type { Ip } from '../../base/ip.ts'
import type { MacText } from '../../base/mac.ts'
import { type Us, us } from '../../base/time.ts'
import type { ClaimReaction } from '../../config/types.ts'
import type { Claim } from '../../wire/claim.ts'
import { TokenBucket } from '../token-bucket.ts'
import { Announcements, type Announcing } from './announcements.ts'
import type { Claimant } from './claimant.ts'
import { PastClaims } from './past-claims.ts'

type ClaimHeard = Claim & Pick<Claimant, 'count' | 'sameMac'> & { readonly at: Us }

/** A master as it stands. */
export type Lead = {
  readonly since: Us
  readonly advertIntervalUs: Us
  /** Another master is heard: what is claimed is told by its adverts. */
  readonly rival: boolean
  readonly addressClaim: ClaimReaction
  readonly now: Us
}

/** `report`: to be told. `crowd`: one of too many to be told. `announce`: this address once, on account of `by`. */
export type Finding =
  | { readonly kind: 'report' | 'crowd'; readonly claimant: Claimant }
  | { readonly kind: 'announce'; readonly address: Ip; readonly by: MacText }

type Entry = {
  -readonly [K in keyof Claimant]: Claimant[K]
} & {
  /** When it counts, if nothing explains it until then; null: it is reported. */
  dueAt: Us | null
}

/** Of one instance. More of them, which one machine can make up, are not reported. */
const entriesMax = 64
/** Silent for so long, a claimant is gone: the next claim is reported anew. */
const goneUs = 60_000_000
/** A quarter more than an interval and the time for a busy host to answer; of long intervals no more than this. */
const graceUs = { least: 50_000, most: 1_500_000 }
/** Reports of one instance: five at once, then one in ten seconds. */
const reports = { burst: 5, perSecond: 0.1 }

export class Claimants {
  readonly #entries = new Map<string, Entry>()
  readonly #announcements = new Announcements()
  #frames = 0
  #reported = 0
  #announced = 0
  readonly past = new PastClaims()
  readonly #reports = new TokenBucket(reports.burst, reports.perSecond)

  /** A frame of another machine. To be followed by `tick`. */
  heard(claim: ClaimHeard, on: string, lead: Lead): void {
    if (claim.at < lead.since + graceOf(lead)) return
    this.#frames += claim.count
    const { address, mac, how, at, count, sameMac } = claim
    const key = `${address} ${mac}`
    const known = this.#entries.get(key)
    if (known === undefined) {
      const claimant = { address, mac, how, interface: on, count, sameMac, firstAt: at, lastAt: at }
      if (!this.#makeRoom(lead.now)) return this.past.unweighed(claimant)
      this.#entries.set(key, { ...claimant, dueAt: us(at + graceOf(lead)) })
      return
    }
    const gone = at - known.lastAt > goneUs
    if (gone) Object.assign(known, { firstAt: at, count: 0, dueAt: us(at + graceOf(lead)) })
    Object.assign(known, { how, interface: on, lastAt: at, count: known.count + count })
    if (known.dueAt !== null) return
    this.past.more(known, count)
    this.#provoked(known, lead, at)
  }

  /** What follows now. */
  tick(lead: Lead): readonly Finding[] {
    const { now } = lead
    const findings: Finding[] = []
    for (const [key, entry] of this.#entries) {
      if (entry.dueAt === null || entry.dueAt > now) continue
      if (lead.rival) this.#entries.delete(key)
      else {
        entry.dueAt = null
        findings.push({ kind: this.#mayReport(now) ? 'report' : 'crowd', claimant: entry })
        this.#provoked(entry, lead, now)
      }
    }
    const due = this.#announcements.take(now)
    this.#announced += due.length
    return [...findings, ...due.map((it) => ({ kind: 'announce' as const, ...it }))]
  }

  /** When `tick` has something to do; null: never. */
  due(now: Us): Us | null {
    let earliest = this.#announcements.due(now)
    for (const { dueAt } of this.#entries.values())
      if (dueAt !== null && (earliest === null || dueAt < earliest)) earliest = dueAt
    return earliest
  }

  /** The lead has begun or ended. */
  newState(now: Us): void {
    this.past.newState(now)
    this.#entries.clear()
    this.#announcements.end()
  }

  /** Those that have been heard lately, and count. */
  at(now: Us): readonly Claimant[] {
    return [...this.#entries.values()].filter(
      ({ dueAt, lastAt }) => dueAt === null && now - lastAt <= goneUs,
    )
  }

  /** Since the start. */
  get counts() {
    return { frames: this.#frames, reported: this.#reported, announced: this.#announced }
  }

  snapshot() {
    return {
      entries: [...this.#entries].map(([key, entry]) => [key, { ...entry }] as const),
      announcements: this.#announcements.snapshot(),
      counts: this.counts,
      past: this.past.snapshot(),
    }
  }

  adopt({ entries, announcements, counts, past }: ReturnType<Claimants['snapshot']>): void {
    for (const [key, entry] of entries) this.#entries.set(key, { ...entry })
    this.#announcements.adopt(announcements)
    this.#frames = counts.frames
    this.#reported = counts.reported
    this.#announced = counts.announced
    this.past.adopt(past)
  }

  #provoked(entry: Entry, { addressClaim }: Lead, at: Us): void {
    if (!entry.sameMac) this.#announcements.provoked(entry, announcing[addressClaim], at)
  }

  #mayReport(now: Us): boolean {
    if (!this.#reports.take(now)) return false
    this.#reported += 1
    return true
  }

  /** The one that is silent for longest makes way if it is gone, or has not been reported. */
  #makeRoom(now: Us): boolean {
    if (this.#entries.size < entriesMax) return true
    for (const [key, entry] of this.#entries) {
      if (now - entry.lastAt <= goneUs) continue
      this.#entries.delete(key)
      return true
    }
    return false
  }
}

const announcing: Readonly<Record<ClaimReaction, Announcing>> = {
  off: 'never',
  report: 'never',
  announce: 'once',
  defend: 'always',
}

const graceOf = ({ advertIntervalUs }: Lead): number =>
  Math.min(1.25 * advertIntervalUs + graceUs.least, graceUs.most)
