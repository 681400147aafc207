/** Of all settings those that no other beats in both: how soon, and how often for nothing. */
import { enough, falseTakeOvers } from '../base/advert-chance.ts'
import type { CheckBudget, InstanceBudget } from './budget.ts'
import { chanceOf } from './estimate.ts'
import { leastLost } from './evidence.ts'
import { detection, falseAlarms, hostDetection, perYear } from './formulas.ts'

export type FrontierPoint = { readonly worstMs: number; readonly falsePerYear: number }

const intervals = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
const falls = [1, 2, 3, 4, 5, 6, 8, 10]

/** With the present timeout. Nothing where too little was seen. */
export function checkFrontier({ seen, timing }: CheckBudget): readonly FrontierPoint[] {
  if (!enough(seen.n)) return []
  const all = intervals.flatMap((intervalMs) =>
    falls.map((fall) => {
      const timeoutMs = Math.min(timing.timeoutMs, intervalMs)
      const setting = { ...timing, intervalMs, fastIntervalMs: null, timeoutMs, fall }
      const chance = chanceOf(seen, setting)
      const rate = chance === null ? 0 : falseAlarms(setting, chance.p, chance.afterFailure)
      return { worstMs: detection(setting, timeoutMs).worst, falsePerYear: perYear(rate) }
    }),
  )
  return best(all)
}

export function instanceFrontier({ adverts, loss }: InstanceBudget): readonly FrontierPoint[] {
  if (loss === null || !enough(loss.heard)) return []
  const all = intervals.flatMap((advertMs) =>
    falls
      .filter((n) => n >= leastLost(loss.heard))
      .map((downTimerAdverts) => {
        const setting = { ...adverts, advertMs, downTimerAdverts }
        return {
          worstMs: hostDetection(setting).worst,
          falsePerYear: perYear(falseTakeOvers(setting, loss.p)),
        }
      }),
  )
  return best(all)
}

function best(points: readonly FrontierPoint[]): readonly FrontierPoint[] {
  let least = Number.POSITIVE_INFINITY
  return points
    .toSorted((a, b) => a.worstMs - b.worstMs || a.falsePerYear - b.falsePerYear)
    .filter(({ falsePerYear }) => {
      if (falsePerYear >= least) return false
      least = falsePerYear
      return true
    })
}
