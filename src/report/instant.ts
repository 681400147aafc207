/** Spans and instants as people write them. */

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

/** '1h' before `nowMs`, or a date and time. Milliseconds since 1970, or null. */
export function readInstant(text: string, nowMs: number): number | null {
  const ago = readSpan(text)
  // A year, and no seconds.
  if (ago !== null && !/^\d{4}$/.test(text)) return nowMs - Math.round(ago)
  const at = Date.parse(text)
  return at >= 0 ? at : null
}
