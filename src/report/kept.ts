/** Transitions, and claims of other machines, that are kept over restarts, asked for and answered in pages. */
import type { KeptClaim } from './past-claim.ts'
import type { Transition } from './status.ts'

export type KeptTransition = Transition & { readonly number: number }

export type KeptQuery = {
  /** Of one instance; null: of all. */
  readonly name: string | null
  /** Only those with a greater number. */
  readonly after: number
  /** Milliseconds since 1970, both included. */
  readonly sinceMs: number
  readonly untilMs: number
}

/** The latest that fit. */
export type LatestQuery = {
  readonly name: string | null
  /** Only those with a smaller number; null: all. */
  readonly before: number | null
  readonly sinceMs: number
  readonly untilMs: number
  /** At most so many, and no more than a message may hold. */
  readonly limit: number
}

export type KeptPage = {
  /** null: nothing is kept. */
  readonly directory: string | null
  /** JSON, one KeptTransition in each line, in the order of their numbers; UTF-8. */
  readonly lines: Uint8Array
  /** Ask again with this `after`, or for the latest with this `before`; null: that was all. */
  readonly next: number | null
}

/** Of claims; all that are kept fit into one page. */
export type ClaimsQuery = Omit<KeptQuery, 'after'>

/** With the claims of the time of its transitions, a KeptClaim in each line. */
export type LatestPage = KeptPage & { readonly claims: Uint8Array }

export const transitionsOf = ({ lines }: KeptPage): readonly KeptTransition[] =>
  readLines(lines) as readonly KeptTransition[]

export const claimsOf = (lines: Uint8Array): readonly KeptClaim[] =>
  readLines(lines) as readonly KeptClaim[]

export const jsonLines = (entries: readonly unknown[]): Buffer =>
  Buffer.from(entries.map((it) => `${JSON.stringify(it)}\n`).join(''))

const readLines = (lines: Uint8Array): readonly unknown[] =>
  Buffer.from(lines)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
