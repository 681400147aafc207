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

export type KeptPage = {
  /** null: nothing is kept. */
  readonly directory: string | null
  /** JSON, one KeptTransition in each line, in the order of their numbers; UTF-8. */
  readonly lines: Uint8Array
  /** Ask again with this `after`; null: that was all. */
  readonly next: number | null
}
