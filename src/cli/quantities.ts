/** Rates as people write them on a command line. */

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
