/** What is said of a sample: by nearest rank, so that every figure was really seen. */
export type Summary = {
  readonly n: number
  readonly min: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** null for an empty sample. */
export function summarise(values: readonly number[]): Summary | null {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  const [min, p50, p99, max] = [at(0), at(0.5), at(0.99), at(1)]
  if (min === undefined || p50 === undefined || p99 === undefined || max === undefined) return null
  return { n: sorted.length, min, p50, p99, max }
}
