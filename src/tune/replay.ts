/** What another setting would have made of what was recorded: the same results, judged by the daemon's own verdict. */
import type { Recorded } from '../checks/verdict/record.ts'
import { judge, streak, undecided } from '../checks/verdict/rise-fall.ts'
import type { Adverts, ObservedCheck, ObservedInstance, Timing } from '../report/observation.ts'
import { hostDetection, pauseBorne } from './formulas.ts'

export type CheckReplay = {
  readonly name: string
  /** Results that this setting would have asked for. */
  readonly runs: number
  /** When the verdict turned bad, and for how long. */
  readonly failures: readonly { readonly atMs: number; readonly lastedMs: number | null }[]
  /** It would have asked more often than was recorded: what lies between the results is not known. */
  readonly coarse: boolean
}

/** A turn counts as this one if a result lies so near. */
const nearMs = 2

export function replayCheck({ name, results }: ObservedCheck, timing: Timing): CheckReplay {
  let verdict = undecided
  let turnAt = Number.NEGATIVE_INFINITY
  let runs = 0
  const failures: { atMs: number; lastedMs: number | null }[] = []
  for (const result of results) {
    if (result.atMs < turnAt - nearMs) continue
    const before = verdict.good
    verdict = judge(verdict, isGood(result, timing), timing)
    runs += 1
    turnAt = result.atMs + intervalOf(timing, verdict)
    const decidedMs = result.atMs + Math.min(result.durationMs, timing.timeoutMs)
    const current = failures.at(-1)
    if (verdict.good === false && before !== false)
      failures.push({ atMs: decidedMs, lastedMs: null })
    if (verdict.good === true && before === false && current !== undefined)
      current.lastedMs = decidedMs - current.atMs
  }
  return { name, runs, failures, coarse: isCoarse(results, timing) }
}

const isGood = ({ outcome, durationMs }: Recorded, { timeoutMs }: Timing): boolean =>
  outcome === 'good' && durationMs <= timeoutMs

function intervalOf(timing: Timing, verdict: typeof undecided): number {
  const { intervalMs, fastIntervalMs, downIntervalMs } = timing
  if (streak(verdict, timing) > 0) return fastIntervalMs ?? intervalMs
  return verdict.good === false ? (downIntervalMs ?? intervalMs) : intervalMs
}

function isCoarse(results: readonly Recorded[], timing: Timing): boolean {
  const [first, last] = [results[0], results.at(-1)]
  if (first === undefined || last === undefined || results.length < 2) return true
  const usual = (last.atMs - first.atMs) / (results.length - 1)
  return Math.min(timing.intervalMs, timing.fastIntervalMs ?? timing.intervalMs) < usual * 0.9
}

export type AdvertReplay = {
  readonly name: string
  /** Pauses after which the heir would have taken over, and those after which it might have. */
  readonly certain: number
  readonly possible: number
}

/** null: nothing was heard. Of the long pauses only the latest are known. */
export function replayAdverts(instance: ObservedInstance, adverts: Adverts): AdvertReplay | null {
  if (instance.gaps === null) return null
  const silences = instance.gaps.long.map(({ gapMs }) => gapMs - instance.adverts.advertMs)
  const same = adverts.advertMs === instance.adverts.advertMs
  const sure = hostDetection(adverts).worst - (same ? adverts.advertMs : 0)
  return {
    name: instance.name,
    certain: silences.filter((silent) => silent > sure).length,
    possible: silences.filter((silent) => silent > pauseBorne(adverts)).length,
  }
}
