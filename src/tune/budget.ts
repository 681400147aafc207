/** What the present setting, or a proposed one, means: how soon, how often for nothing, and what it is made of. */

import { enough, falseTakeOvers } from '../base/advert-chance.ts'
import type {
  Adverts,
  Observation,
  ObservedCheck,
  ObservedInstance,
  Timing,
} from '../report/observation.ts'
import { type Loss, lossOf } from './advert-loss.ts'
import { type Chance, chanceOf, type Estimate, estimate } from './estimate.ts'
import {
  detection,
  falseAlarms,
  handOver,
  hostDetection,
  pauseBorne,
  perYear,
  recovery,
  type Span,
  skew,
  sum,
} from './formulas.ts'

export type CheckBudget = {
  readonly name: string
  readonly timing: Timing
  readonly seen: Estimate
  readonly chance: Chance | null
  /** To the verdict, milliseconds. */
  readonly refused: Span
  readonly hangs: Span
  readonly recovers: Span
  /** Verdicts that turn bad for nothing, per year; an upper bound where the chance is one. null: too little was seen. */
  readonly falsePerYear: number | null
}

export type InstanceBudget = {
  readonly name: string
  readonly adverts: Adverts
  readonly loss: Loss | null
  /** The host dies: to the heir's advert. */
  readonly host: Span
  readonly skewMs: number
  readonly pauseBorneMs: number
  /** Take-overs from a living master, per year; an upper bound where the loss is one. null: too little was heard. */
  readonly falsePerYear: number | null
  /** A service dies: by each check, to the heir's advert. */
  readonly services: readonly ServiceBudget[]
}

export type ServiceBudget = {
  readonly check: string
  readonly handOver: Span
  readonly refused: Span
  readonly hangs: Span
  /** The term of the worst case that is greatest. */
  readonly dominates: string
}

/** A result that fails at once takes as long as one that succeeds usually does. */
const refusalMs = (seen: Estimate): number => seen.latency?.p50 ?? 0

export function checkBudget(check: ObservedCheck, timing = check.timing): CheckBudget {
  const seen = estimate(check)
  const chance = chanceOf(seen, timing)
  const quick = refusalMs(seen)
  return {
    name: check.name,
    timing,
    seen,
    chance,
    refused: detection(timing, quick),
    hangs: detection(timing, timing.timeoutMs),
    recovers: recovery(timing, quick),
    falsePerYear:
      chance === null || !enough(seen.n)
        ? null
        : perYear(falseAlarms(timing, chance.p, chance.afterFailure)),
  }
}

export function instanceBudget(
  instance: ObservedInstance,
  checks: readonly CheckBudget[],
  adverts = instance.adverts,
): InstanceBudget {
  const loss = lossOf(instance)
  return {
    name: instance.name,
    adverts,
    loss,
    host: hostDetection(adverts),
    skewMs: skew(adverts),
    pauseBorneMs: pauseBorne(adverts),
    falsePerYear:
      loss === null || !enough(loss.heard) ? null : perYear(falseTakeOvers(adverts, loss.p)),
    services: instance.tracks.flatMap(({ name, weight }) => {
      const check = checks.find((one) => one.name === name)
      const resigns = weight === 0 || instance.resignsOnDemotion
      return check === undefined ? [] : [serviceBudget(check, handOver(adverts, resigns))]
    }),
  }
}

function serviceBudget(check: CheckBudget, over: Span): ServiceBudget {
  const { timing } = check
  const terms: readonly (readonly [string, number])[] = [
    [`the interval (${timing.intervalMs} ms)`, timing.intervalMs],
    [
      `fall (${timing.fall - 1} more runs)`,
      check.hangs.worst - timing.intervalMs - timing.timeoutMs,
    ],
    [`the timeout (${timing.timeoutMs} ms)`, timing.timeoutMs],
    ['the hand-over', over.worst],
  ]
  const [greatest] = terms.toSorted((a, b) => b[1] - a[1])
  return {
    check: check.name,
    handOver: over,
    refused: sum(check.refused, over),
    hangs: sum(check.hangs, over),
    dominates: greatest?.[0] ?? '',
  }
}

export type Budget = {
  readonly checks: readonly CheckBudget[]
  readonly instances: readonly InstanceBudget[]
}

export function budgetOf(observation: Observation): Budget {
  const checks = observation.checks.filter(({ tunable }) => tunable).map((one) => checkBudget(one))
  return {
    checks,
    instances: observation.instances.map((one) => instanceBudget(one, checks)),
  }
}
