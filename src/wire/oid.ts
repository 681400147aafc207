/** Object identifiers: numbers of 32 bits, at most 128 of them (RFC 2578 section 3.5). */
import { assert } from '../base/assert.ts'

export type Oid = readonly number[]

export const oidLengthMax = 128

/** '1.3.6.1' → [1, 3, 6, 1]. For constants: anything else is a bug. */
export function oid(text: string): Oid {
  const numbers = text.split('.').map(Number)
  assert(
    numbers.length <= oidLengthMax && numbers.every((it) => it >= 0 && it <= 0xffff_ffff),
    `${text} is no object identifier`,
  )
  return numbers
}

export const oidText = (it: Oid): string => it.join('.')

/** The order in which a walk meets them: below 0, 0 or above 0. */
export function compareOids(a: Oid, b: Oid): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** The subtree itself included. */
export const isWithin = (it: Oid, subtree: Oid): boolean =>
  it.length >= subtree.length && subtree.every((number, at) => number === it[at])
