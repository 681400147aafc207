/** From a quantity to a place on an axis, logarithmic, and where the axis has its ticks. */

export type Tick = { readonly at: number; readonly label: string }
export type Scale = {
  /** What is outside of the domain lies on its edge. */
  at(value: number): number
  readonly ticks: readonly Tick[]
}

/** At most so many ticks: more would touch one another. */
const ticksMax = 10

/**
 * `values`: what has to be seen, above 0; others are ignored. `from`, `to`: the ends of the axis. The domain is
 * widened to whole steps of 1, 2 and 5.
 */
export function logScale(
  values: readonly number[],
  from: number,
  to: number,
  label: (value: number) => string,
): Scale {
  const seen = values.filter((value) => value > 0 && Number.isFinite(value))
  const low = stepBelow(seen.length === 0 ? 1 : Math.min(...seen))
  const highest = seen.length === 0 ? 10 : Math.max(...seen)
  const high = Math.max(stepAbove(highest), low * 10)
  const span = Math.log10(high / low)
  const at = (value: number): number => {
    const clamped = Math.min(Math.max(value, low), high)
    return from + ((to - from) * Math.log10(clamped / low)) / span
  }
  return { at, ticks: ticksOf(low, high).map((value) => ({ at: at(value), label: label(value) })) }
}

const steps = [1, 2, 5] as const

function stepBelow(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  return decade * (steps.findLast((step) => step * decade <= value * (1 + 1e-9)) ?? 1)
}

function stepAbove(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  return decade * (steps.find((step) => step * decade >= value * (1 - 1e-9)) ?? 10)
}

/** Every step where there is room for them, else whole decades, else every so many decades. */
function ticksOf(low: number, high: number): number[] {
  const decades = Array.from(
    { length: Math.round(Math.log10(high / low)) + 3 },
    (_, i) => 10 ** (Math.floor(Math.log10(low)) + i),
  )
  const inside = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)
  const all = decades.flatMap((decade) => steps.map((step) => step * decade)).filter(inside)
  if (all.length <= ticksMax) return all
  const whole = decades.filter(inside)
  const every = Math.ceil(whole.length / ticksMax)
  return whole.filter((_, i) => i % every === 0)
}

const units = [
  { above: 1_000, unit: 's', per: 1_000 },
  { above: 1, unit: 'ms', per: 1 },
  { above: 0, unit: 'µs', per: 0.001 },
] as const

/** Milliseconds in the unit that a person would use: '250 µs', '3 ms', '1.5 s'. */
export function duration(ms: number): string {
  const { unit, per } = units.find(({ above }) => ms >= above * (1 - 1e-9)) ?? units[2]
  return `${Number((ms / per).toPrecision(3))} ${unit}`
}
