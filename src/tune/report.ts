/** The budget, the advice and the replay as people read them. */

import type { Adverts, Observation, ObservedInstance, Timing } from '../report/observation.ts'
import type { Advice } from './advice.ts'
import type { Budget, CheckBudget, InstanceBudget } from './budget.ts'
import { shortfall } from './evidence.ts'
import type { Span } from './formulas.ts'
import type { Choice, Target } from './recommend.ts'
import type { AdvertReplay, CheckReplay } from './replay.ts'

const formulas = `formulas (i interval, f fast interval or i, t timeout, F fall, R rise, d down interval or i, a advert_int,
N down_timer_adverts, s skew; p a run fails for nothing, c a failure follows a failure, l an advert is lost):
  detection, hangs    i + (F-1)·f + t worst, i/2 + (F-1)·f + t mean; refused: the answer's time in place of t
  recovery            d + (R-1)·f + the answer's time
  host detection      N·a + s worst, (N-1/2)·a + s mean; s = a·(256 - the heir's priority)/256
  hand-over           s after a fault or a resignation, else as host detection
  false verdicts      (1/i)·p·c^(F-1)·(1-p)
  false take-overs    (1/a)·l^N·(1-l)`

export function reportBudget(observation: Observation, budget: Budget): string {
  const seconds = (observation.untilMs - observation.fromMs) / 1_000
  return [
    `${observation.host}, observed for ${time(seconds * 1_000)}`,
    ...budget.checks.flatMap(checkLines),
    ...budget.instances.flatMap((one) => {
      const observed = observation.instances.find(({ name }) => name === one.name)
      return instanceLines(one, observed?.gaps ?? null)
    }),
    '',
    formulas,
  ].join('\n')
}

function checkLines({ name, timing, seen, ...check }: CheckBudget): string[] {
  const { latency, lateness, n, failures, timeouts, outages } = seen
  const sample = (s: typeof latency) =>
    s === null ? 'none' : `p50 ${time(s.p50)}, p99 ${time(s.p99)}, max ${time(s.max)}`
  return [
    '',
    `check ${name}: ${timingText(timing)}`,
    `  seen               ${n} runs, ${failures} failed (${timeouts} timed out), ${outages} outage${outages === 1 ? '' : 's'} left out`,
    `  answers after      ${sample(latency)}`,
    ...histogramLine(seen.durations),
    `  begins late by     ${sample(lateness)}`,
    `  detects refused    ${spanText(check.refused)}`,
    `  detects hanging    ${spanText(check.hangs)}`,
    `  sees recovery      ${spanText(check.recovers)}`,
    `  wrong              ${wrongVerdicts({ name, timing, seen, ...check })}`,
  ]
}

function wrongVerdicts({ chance, seen, timing, falsePerYear }: CheckBudget): string {
  const missing = shortfall('runs', seen.n, timing.intervalMs)
  if (missing !== null || chance === null) return `not known: ${missing}`
  const { p, afterFailure, bound } = chance
  return `${bounded(falsePerYear, bound)} (p ${bound ? '≤' : '='} ${probability(p)}, c ${probability(afterFailure)})`
}

function wrongTakeOvers({ loss, adverts, falsePerYear }: InstanceBudget): string {
  if (loss === null) return 'not known'
  const missing = shortfall('adverts', loss.heard, adverts.advertMs)
  if (missing !== null) return `not known: ${missing}`
  return `${bounded(falsePerYear, loss.bound)} (l ${loss.bound ? '≤' : '='} ${probability(loss.p)})`
}

/** Where nothing went wrong the rate is an upper bound, and is called one. */
function bounded(perYear: number | null, bound: boolean): string {
  const said = rate(perYear)
  return bound && perYear !== null && !said.startsWith('less') ? `at most ${said}` : said
}

/** How many answers came within each doubling of time. */
function histogramLine(durations: readonly number[]): string[] {
  const counts = new Map<number, number>()
  for (const ms of durations) {
    const bound = 2 ** Math.ceil(Math.log2(Math.max(ms, leastShownMs)))
    counts.set(bound, (counts.get(bound) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const shown = [...counts]
    .toSorted(([a], [b]) => a - b)
    .map(([bound, count]) => `≤ ${time(bound)}: ${count}`)
  return [`  histogram          ${shown.join(', ')}`]
}

/** Quicker answers are all alike. */
const leastShownMs = 0.125

/** The pauses that were heard, those of a kind together. */
function gapsLine(gaps: ObservedInstance['gaps']): string[] {
  if (gaps === null) return []
  const shown = gaps.histogram
    .filter(({ count }) => count > 0)
    .map(({ fromMs, count }) => `from ${time(fromMs)}: ${count}`)
  return [`  pauses             ${shown.join(', ')}`]
}

function instanceLines(instance: InstanceBudget, gaps: ObservedInstance['gaps']): string[] {
  const { name, adverts, loss, host, skewMs, pauseBorneMs, services } = instance
  const heard =
    loss === null
      ? 'none (a master hears no other: observe on the backup)'
      : `${loss.heard} adverts, ${loss.lost} missing, longest silence ${time(loss.longestMs)}`
  return [
    '',
    `instance ${name}: ${advertsText(adverts)}, heir's priority ${adverts.heirPriority}`,
    `  heard              ${heard}`,
    ...gapsLine(gaps),
    `  host dies          ${spanText(host)} (skew ${time(skewMs)})`,
    `  bears a pause of   ${time(pauseBorneMs)}`,
    `  wrong              ${wrongTakeOvers(instance)}`,
    ...services.flatMap(({ check, refused, hangs, dominates }) => [
      `  service dies, as ${check} sees it, until the heir's advert:`,
      `    refused          ${spanText(refused)}`,
      `    hanging          ${spanText(hangs)}; most of it is ${dominates}`,
    ]),
  ]
}

export function reportAdvice(advice: Advice, target: Target): string {
  const lines = [
    `for failover within ${time(target.failoverMs)} (worst case) and at most ${rate(target.falsePerYear)} of each:`,
  ]
  for (const { check, choice } of advice.checks)
    lines.push(...choiceLines(`check ${check.name}`, choice, timingText(check.timing), timingText))
  for (const { instance, choice } of advice.instances)
    lines.push(
      ...choiceLines(
        `instance ${instance.name}`,
        choice,
        advertsText(instance.adverts),
        advertsText,
      ),
    )
  const changed = advice.instances.some(({ choice }) => choice.kind === 'found')
  if (changed)
    lines.push(
      '',
      'advert_int must be the same on both hosts in version 2 and should be in version 3: change the backup first, then the master.',
    )
  return lines.join('\n')
}

function choiceLines<T>(
  title: string,
  choice: Choice<T>,
  present: string,
  text: (setting: T) => string,
): string[] {
  if (choice.kind === 'none') return ['', title, `  none reaches it    ${choice.why}`]
  return [
    '',
    title,
    `  now                ${present}`,
    `  proposed           ${text(choice.setting)}`,
    `  then               ${time(choice.worstMs)} worst, wrong ${bounded(choice.falsePerYear, choice.bound)}`,
  ]
}

export function reportReplay(
  checks: readonly CheckReplay[],
  adverts: readonly (AdvertReplay | null)[],
): string {
  const lines = checks.map(({ name, runs, failures, coarse }) => {
    const each = failures.map(
      ({ atMs, lastedMs }) =>
        `\n    ${new Date(atMs).toISOString()}${lastedMs === null ? ', to the end' : `, for ${time(lastedMs)}`}`,
    )
    const doubt = coarse ? '; it was recorded less often than this setting asks' : ''
    return `check ${name}: ${runs} runs, ${failures.length} failure${failures.length === 1 ? '' : 's'}${doubt}${each.join('')}`
  })
  for (const one of adverts)
    if (one !== null)
      lines.push(`instance ${one.name}: ${one.certain} take-overs, ${one.possible} possible`)
  return lines.join('\n')
}

function timingText({ intervalMs, fastIntervalMs, timeoutMs, fall, rise }: Timing): string {
  const fast = fastIntervalMs === null ? '' : `, fast_interval ${seconds(fastIntervalMs)}`
  return `interval ${seconds(intervalMs)}${fast}, timeout ${seconds(timeoutMs)}, fall ${fall}, rise ${rise}`
}

const advertsText = ({ advertMs, downTimerAdverts, version }: Adverts): string =>
  `advert_int ${seconds(advertMs)}, down_timer_adverts ${downTimerAdverts}, version ${version}`

/** As the configuration writes it. */
export const seconds = (ms: number): string => `${Number((ms / 1_000).toFixed(6))}`

const spanText = ({ mean, worst, best }: Span): string =>
  `${time(mean)} on average, ${time(best)} to ${time(worst)}`

export function time(ms: number): string {
  if (ms >= 10_000) return `${Number((ms / 1_000).toFixed(1))} s`
  return ms >= 100 ? `${Math.round(ms)} ms` : `${Number(ms.toFixed(2))} ms`
}

const probability = (p: number): string => (p === 0 ? '0' : p.toPrecision(2))

const yearSeconds = 31_557_600

/** How often something happens, in the unit that makes it readable. */
export function rate(perYear: number | null): string {
  if (perYear === null) return 'not known'
  const units = [
    ['s', yearSeconds],
    ['minute', yearSeconds / 60],
    ['hour', yearSeconds / 3_600],
    ['day', 365.25],
    ['year', 1],
  ] as const
  for (const [unit, count] of units)
    if (perYear >= count)
      return `${Number((perYear / count).toPrecision(3))} ${unit === 'hour' ? 'an' : 'a'} ${unit}`
  const years = 1 / perYear
  return years > 1e6
    ? 'less than once in a million years'
    : `once in ${Number(years.toPrecision(2))} years`
}
