/** Spans and rates as people write them on a command line. */

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** '500ms', '60s', '10m', '2h', '1d'; without a unit it is seconds. Milliseconds, or null. */
export function readSpan(text: string): number | null {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? []
  const ms = Number(digits) * (unitMs[unit] ?? Number.NaN)
  return ms > 0 ? ms : null
}

const daysPerYear = 365.25
const perYear: Readonly<Record<string, number>> = {
  hour: daysPerYear * 24,
  day: daysPerYear,
  week: daysPerYear / 7,
  month: 12,
  year: 1,
  decade: 0.1,
  century: 0.01,
}

/** '1/year', '2/month', '0.5/day'. Per year, or null. */
export function readRate(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\/([a-z]+)$/.exec(text) ?? []
  const rate = Number(digits) * (perYear[unit] ?? Number.NaN)
  return rate > 0 ? rate : null
}
