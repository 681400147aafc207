/** Transitions that are kept over restarts, asked for and answered in pages. */
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

export const transitionsOf = ({ lines }: KeptPage): readonly KeptTransition[] =>
  Buffer.from(lines)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KeptTransition)
