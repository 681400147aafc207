/**
 * From intervals to times and rates. Milliseconds and events per second; probabilities from 0 to 1. The tests hold these
 * formulas against a simulation of the scheduler and the verdict that the daemon uses.
 */
import { us } from '../base/time.ts'
import { skewUs } from '../base/vrrp-timing.ts'
import type { Adverts, Timing } from '../report/observation.ts'

/** Least, mean and greatest, over all instants at which something may fail. */
export type Span = { readonly best: number; readonly mean: number; readonly worst: number }

const span = (least: number, spread: number): Span => ({
  best: least,
  mean: least + spread / 2,
  worst: least + spread,
})

export const sum = (a: Span, b: Span): Span => ({
  best: a.best + b.best,
  mean: a.mean + b.mean,
  worst: a.worst + b.worst,
})

/**
 * From the start of the first of so many runs to the start of the last, while results speak against the verdict and each
 * takes `tookMs`. A turn that finds a run still busy is gone.
 */
function starts({ intervalMs, fastIntervalMs }: Timing, runs: number, tookMs: number): number {
  const pace = fastIntervalMs ?? intervalMs
  const spacing = Math.max(1, Math.ceil(tookMs / pace)) * pace
  if (runs < 2) return 0
  // The fast interval counts from the last turn, which may have passed during the first run.
  const lastTurn = Math.floor(tookMs / intervalMs) * intervalMs
  const first = fastIntervalMs === null ? spacing : Math.max(lastTurn + fastIntervalMs, tookMs)
  return first + (runs - 2) * spacing
}

/**
 * From the failure of a service to the verdict: the wait for the next turn, then `fall` results (i + (F−1)·f + t). A
 * result takes `tookMs`: the timeout for a service that hangs, next to nothing for one that refuses.
 */
export function detection(timing: Timing, tookMs: number): Span {
  const certain = starts(timing, timing.fall, tookMs) + tookMs
  return span(certain, timing.intervalMs)
}

/** From the return of a service to the verdict: d + (R−1)·f + response. */
export function recovery(timing: Timing, tookMs: number): Span {
  const certain = starts(timing, timing.rise, tookMs) + tookMs
  return span(certain, timing.downIntervalMs ?? timing.intervalMs)
}

/**
 * Verdicts per second that turn bad although the service is well: a first failure after a success, and `fall − 1` more:
 * (1/i) · p · c^(F−1) · (1 − p), where c is the probability that a failure follows a failure.
 */
export function falseAlarms(timing: Timing, p: number, afterFailure: number): number {
  return (1_000 / timing.intervalMs) * p * afterFailure ** (timing.fall - 1) * (1 - p)
}

/** As the election counts it, to the microsecond. */
export const skew = ({ version, advertMs, heirPriority }: Adverts): number =>
  skewUs(version, heirPriority, us(Math.round(advertMs * 1_000))) / 1_000

/** From the cut of a master to the advert of its heir: the last advert was up to one interval ago. (N−1)·a+s … N·a+s. */
export function hostDetection(adverts: Adverts): Span {
  const { advertMs, downTimerAdverts } = adverts
  return span((downTimerAdverts - 1) * advertMs + skew(adverts), advertMs)
}

/** A pause of the adverts that is longer kills, however it is timed: (N−1)·a + s. */
export const pauseBorne = (adverts: Adverts): number =>
  (adverts.downTimerAdverts - 1) * adverts.advertMs + skew(adverts)

/**
 * From a verdict to the heir's advert: a fault, and a demotion that resigns, say so (s); a mere demotion waits until the
 * lower priority is heard, then preempts: up to N·a+s.
 */
export function handOver(adverts: Adverts, resigns: boolean): Span {
  return resigns ? span(skew(adverts), 0) : hostDetection(adverts)
}

export const perYear = (perSecond: number): number => perSecond * 86_400 * 365.25
