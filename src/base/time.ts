/**
 * Time as a branded integer of microseconds. Skew is interval × k/256, so a 10 ms interval has 39 µs
 * steps; 2⁵³ µs is 285 years. Every other unit (v2 seconds, v3 centiseconds, configured decimals) is
 * converted here, once, at the edge.
 */
declare const unit: unique symbol

/** Microseconds: an instant on CLOCK_MONOTONIC or a span. Always an integer. */
export type Us = number & { readonly [unit]: 'us' }

/** Brands an integer. Throws RangeError for anything else: a fraction here is a bug of the caller. */
export function us(n: number): Us {
  if (!Number.isSafeInteger(n)) throw new RangeError(`not an integer microsecond count: ${n}`)
  return n as Us
}

/** Seconds, possibly fractional, rounded to the nearest microsecond. */
export const secondsToUs = (seconds: number): Us => us(Math.round(seconds * 1_000_000))
export const millisecondsToUs = (ms: number): Us => us(Math.round(ms * 1_000))
export const centisecondsToUs = (cs: number): Us => us(cs * 10_000)
export const usToSeconds = (span: Us): number => span / 1_000_000
export const usToMilliseconds = (span: Us): number => span / 1_000
export const addUs = (a: Us, b: Us): Us => us(a + b)
export const subtractUs = (a: Us, b: Us): Us => us(a - b)
export const maxUs = (a: Us, b: Us): Us => us(Math.max(a, b))
export const minUs = (a: Us, b: Us): Us => us(Math.min(a, b))
