/**
 * What reached one host for one virtual router, as an outside observer notes it: the ground on which a take-over
 * is judged. Instants are the host's own, so that a clock's rate changes nothing.
 */
import type { Ip } from '../../src/base/ip.ts'
import { answerUs } from './latency.ts'
import type { HostPlan } from './scenario.ts'

const never = Number.NEGATIVE_INFINITY
/** So many resignations in so short a time need not be believed. */
const crowd = 5
const crowdUs = 30_000_000
/** So many better masters in so short a time, and a host may take its time until the first is that long ago. */
const visits = 3
const visitsUs = 11_000_000

type Notes = {
  /** An advert at least as high as the host's own priority. */
  higherAt: number
  /** One that is higher or lower, as the main thread comes to see its own priority by then. */
  eitherAt: number
  lowerAt: number
  /** Since when every advert was a lower one. */
  lowerSince: number
  zeroAt: number
  /** Any of them. */
  anyAt: number
}

const blank = (): Notes => ({
  higherAt: never,
  eitherAt: never,
  lowerAt: never,
  lowerSince: Number.POSITIVE_INFINITY,
  zeroAt: never,
  anyAt: never,
})

export class Listening {
  /** Began to listen: process start, or the end of leading. */
  #since: number
  #ledFrom = never
  #zeros: readonly number[] = []
  /** When a better master came. */
  #better: readonly number[] = []
  #master: { readonly from: Ip; readonly priority: number } | null = null
  /** Whose the last of these adverts were. */
  #higherFrom: Ip | null = null
  #lowerFrom: Ip | null = null
  readonly #notes = blank()
  /** As far as the main thread knows it. */
  readonly #known = blank()

  constructor(since: number) {
    this.#since = since
  }

  /**
   * Whose adverts it takes, which are no lower than its own: the last, and when, and since when the host has listened. null:
   * others were heard since.
   */
  get followed(): { readonly from: Ip; readonly at: number; readonly since: number } | null {
    const { anyAt, higherAt } = this.#notes
    const from = this.#higherFrom
    return from === null || anyAt !== higherAt || higherAt <= this.#since
      ? null
      : { from, at: higherAt, since: this.#since }
  }

  /** `ours`: every priority that the host may have when it comes to weigh this advert. */
  advert(at: number, from: Ip, priority: number, ours: readonly number[]): void {
    const notes = this.#notes
    const before = this.#master
    if (before !== null && before.from !== from && priority > before.priority) this.#came(at)
    if (priority > 0) this.#master = { from, priority }
    notes.anyAt = at
    if (priority === 0) {
      notes.zeroAt = at
      this.#zeros = [...this.#zeros, at].slice(-crowd)
    } else if (ours.every((own) => priority >= own)) {
      notes.higherAt = at
      this.#higherFrom = from
      notes.lowerSince = Number.POSITIVE_INFINITY
    } else {
      notes.lowerSince = Math.min(notes.lowerSince, at)
      this.#lowerFrom = from
      if (ours.every((own) => priority < own)) notes.lowerAt = at
      else notes.eitherAt = at
    }
  }

  caughtUp(): void {
    Object.assign(this.#known, this.#notes)
  }

  leads(now: number): void {
    this.#ledFrom = now
  }

  /** A host that yields has listened since the advert that it yields to, or is released by a resignation just heard. */
  yields(now: number, patience: number): void {
    const { zeroAt } = this.#notes
    const higherAt = Math.max(this.#notes.higherAt, this.#notes.eitherAt)
    this.#came(now)
    const released = zeroAt > higherAt && now - zeroAt < patience
    this.#since = released ? zeroAt : higherAt > this.#ledFrom ? higherAt : now
  }

  #came(at: number): void {
    this.#better = [...this.#better, at].slice(-visits)
  }

  /** Better masters came so often that it may take its time, and its skew time after it. */
  damped(now: number, skewUs: number): boolean {
    const since = now - (this.#better[0] ?? never)
    return this.#better.length === visits && since <= visitsUs + skewUs + answerUs
  }

  /** How long nothing at all has been heard, and whether the last that was heard was a resignation that is believed. */
  silence(now: number): { readonly us: number; readonly resigned: boolean } {
    const { anyAt, zeroAt } = this.#notes
    const many = now - (this.#zeros[0] ?? never) < crowdUs && this.#zeros.length === crowd
    return {
      us: now - Math.max(this.#since, anyAt),
      resigned: zeroAt >= anyAt && zeroAt > this.#since && !many,
    }
  }

  /** Deaf for so long that silence proves nothing. */
  slept(now: number): void {
    this.#since = now
  }

  /**
   * Why the host must not lead from now on; null when it may. `patience`: three adverts. `decided`: not the engine but
   * the main thread takes over (a sync group does), on what it knows by then. `lost`: BFD has just lost that master.
   */
  objection(
    now: number,
    plan: HostPlan,
    patience: number,
    decided: boolean,
    lost: (master: Ip) => boolean,
  ): string | null {
    const { lowerAt, lowerSince } = this.#known
    const { higherAt } = decided ? this.#known : this.#notes
    // The main thread may be working on the resignation just now.
    const { zeroAt } = this.#notes
    // A resignation may have ended the listener's own lead, so shortly before counts.
    const released = zeroAt >= Math.max(higherAt, this.#since - answerUs)
    const quiet = now - Math.max(higherAt, this.#since)
    const dead = this.#followedBy(plan, higherAt).some(lost)
    if (quiet < patience && !released && !dead)
      return `took over ${quiet} µs after it last heard a better master or began to listen (${now - zeroAt} µs after priority 0)`
    const challenged = now - lowerAt < patience && zeroAt < lowerAt
    const alone = this.#lowerFrom !== null && lost(this.#lowerFrom)
    if (!challenged || alone || (dead && higherAt > lowerAt)) return null
    if (plan.nopreempt)
      return `nopreempt, but took over from a master heard ${now - lowerAt} µs ago`
    const delayUs = plan.preemptDelayS * 1_000_000
    return now - lowerSince < delayUs
      ? `preempt_delay ${plan.preemptDelayS} s, but took over after ${now - lowerSince} µs`
      : null
  }

  /**
   * The better master, if one was heard; else the last that was. Who takes the adverts of lower ones, too, follows such a one
   * that was heard after the better; the main thread may not have come to it yet.
   */
  #followedBy({ nopreempt, preemptDelayS }: HostPlan, higherAt: number): readonly Ip[] {
    const last = this.#master?.from ?? null
    const better = higherAt >= this.#since ? this.#higherFrom : last
    const lower = nopreempt || preemptDelayS > 0 ? this.#lowerFrom : null
    const overtaken = Math.max(this.#notes.lowerAt, this.#notes.eitherAt) > higherAt
    return [better, ...(overtaken ? [lower] : [])].filter((it) => it !== null)
  }
}
