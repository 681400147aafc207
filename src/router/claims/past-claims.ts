/**
 * What is remembered of the machines that claimed addresses of one instance, and when it is to be written: at once when a
 * machine is told of, then ever more rarely while it goes on, and as the lead ends. So a storm of claims, or one that
 * lasts for days, takes a bounded place in the memory and on the disk. It knows no clock.
 */
import { type Us, us } from '../../base/time.ts'
import type { PastClaim, TakeOver } from '../../report/past-claim.ts'
import type { Claimant } from './claimant.ts'

/** `wallMs`: the wall clock at `now`, for people. */
export type Clock = { readonly now: Us; readonly wallMs: number }

type Remembered = Omit<PastClaim, 'lastAt'> & {
  readonly lastAt: Us
  /** Something of it is not written. */
  readonly fresh: boolean
  readonly writeAt: Us
  /** Until the write after that. */
  readonly gapUs: number
}

export type PastClaimsState = readonly Remembered[]

/** Entries of an instance; one is for those that are too many to be named. */
const entriesMax = 16
/** Silent for so long, a machine that comes back is another entry. */
const sameUs = 3_600_000_000
const crowdUs = 60_000_000
/** From one write of an entry that changes to the next. */
const writeUs = { first: 60_000_000, longest: 3_600_000_000 }

export class PastClaims {
  #entries: readonly Remembered[] = []

  /** With all its frames so far; `named`: it is told of, and not one of too many. Further frames of it follow with `more`. */
  claimed(claimant: Claimant, named: boolean, takeOver: TakeOver | null, clock: Clock): void {
    const { mac, ...many } = claimant
    const known = [this.#of(claimant), this.#many].find(
      (it) => it !== undefined && clock.now - it.lastAt <= sameUs,
    )
    if (known?.mac === mac) this.#heard(known, claimant, claimant.count, takeOver)
    else if (named && this.#hasRoom(clock.now)) this.#begin(claimant, takeOver, clock)
    else if (known !== undefined) this.#heard(known, claimant, claimant.count, takeOver)
    else this.#begin({ ...many, mac: null }, takeOver, clock)
  }

  /** Further frames of a machine that has claimed. */
  more(claimant: Claimant, count: number, takeOver: TakeOver | null = null): void {
    const known = this.#of(claimant) ?? this.#many
    if (known !== undefined) this.#heard(known, claimant, count, takeOver)
  }

  /** Frames that are not weighed, since there are too many: they count where so many have been told of a moment ago. */
  unweighed(claimant: Claimant): void {
    const many = this.#many
    if (many !== undefined && claimant.lastAt - many.lastAt <= crowdUs)
      this.#heard(many, claimant, claimant.count, null)
  }

  announced(address: string, by: string): void {
    const known = this.#of({ address, mac: by }) ?? this.#many
    if (known !== undefined)
      this.#replace(known, { ...known, announced: known.announced + 1, fresh: true })
  }

  /** The lead has begun or ended: what is not written is to be. */
  newState(now: Us): void {
    this.#entries = this.#entries.map((it) => ({ ...it, writeAt: us(Math.min(it.writeAt, now)) }))
  }

  /** What is to be written now; it is taken as done. */
  take(clock: Clock): readonly PastClaim[] {
    const due = this.#entries.filter(({ fresh, writeAt }) => fresh && writeAt <= clock.now)
    for (const it of due) {
      const gapUs = Math.min(2 * it.gapUs, writeUs.longest)
      this.#replace(it, { ...it, fresh: false, writeAt: us(clock.now + it.gapUs), gapUs })
    }
    return due.map((it) => asTold(it, clock))
  }

  /** When `take` has something to give; null: never. */
  get due(): Us | null {
    let earliest: Us | null = null
    for (const { fresh, writeAt } of this.#entries)
      if (fresh && (earliest === null || writeAt < earliest)) earliest = writeAt
    return earliest
  }

  /** Oldest first. */
  at(clock: Clock): readonly PastClaim[] {
    return this.#entries.map((it) => asTold(it, clock))
  }

  snapshot(): PastClaimsState {
    return this.#entries
  }

  adopt(entries: PastClaimsState): void {
    this.#entries = entries
  }

  #of({ address, mac }: { readonly address: string; readonly mac: string }) {
    return this.#entries.findLast((it) => it.address === address && it.mac === mac)
  }

  get #many(): Remembered | undefined {
    return this.#entries.findLast(({ mac }) => mac === null)
  }

  /** For one more that is named: one makes way that has been silent for longest and would be another entry. */
  #hasRoom(now: Us): boolean {
    const named = this.#entries.filter(({ mac }) => mac !== null)
    return named.length < entriesMax - 1 || named.some(({ lastAt }) => now - lastAt > sameUs)
  }

  #begin(
    claimant: Omit<Claimant, 'mac'> & Pick<PastClaim, 'mac'>,
    takeOver: TakeOver | null,
    clock: Clock,
  ): void {
    const { address, mac, how, sameMac, interface: on, count, firstAt, lastAt } = claimant
    const times = { at: iso(clock.wallMs), firstAt: wallOf(firstAt, clock), lastAt }
    const entry: Remembered = {
      ...{ ...times, address, interface: on, mac, how, sameMac, count, announced: 0, takeOver },
      ...{ fresh: true, writeAt: clock.now, gapUs: writeUs.first },
    }
    const sort = this.#entries.filter((it) => (it.mac === null) === (mac === null))
    const full = sort.length >= (mac === null ? 1 : entriesMax - 1)
    const silent = sort.reduce<Remembered | null>(
      (most, it) => (most === null || it.lastAt < most.lastAt ? it : most),
      null,
    )
    const left = full ? this.#entries.filter((it) => it !== silent) : this.#entries
    this.#entries = [...left, entry]
  }

  #heard(
    known: Remembered,
    { address, how, interface: on, lastAt }: Claimant,
    count: number,
    takeOver: TakeOver | null,
  ): void {
    const latest = { address, how, interface: on, lastAt }
    const next = { ...known, ...latest, count: known.count + count, fresh: true }
    this.#replace(known, { ...next, takeOver: takeOver ?? known.takeOver })
  }

  #replace(known: Remembered, next: Remembered): void {
    this.#entries = this.#entries.map((it) => (it === known ? next : it))
  }
}

function asTold(
  { fresh: _fresh, writeAt: _at, gapUs: _gap, lastAt, ...rest }: Remembered,
  clock: Clock,
): PastClaim {
  return { ...rest, lastAt: wallOf(lastAt, clock) }
}

const iso = (wallMs: number): string => new Date(wallMs).toISOString()

const wallOf = (at: Us, { now, wallMs }: Clock): string =>
  iso(Math.round(wallMs - (now - at) / 1_000))
