/** A route while its words are read. */
import type { Family } from '../../base/ip.ts'
import type { Prefix } from '../../base/routing.ts'
import type { Word } from '../language/tree-types.ts'
import type { Route } from '../routing.ts'

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type RouteDraft = Mutable<Omit<Route, 'family' | 'destination' | 'scope'>> & {
  /** Said by a word, or by the first address. */
  family: Family | null
  destination: { readonly word: Word; readonly prefix: Prefix } | null
  scope: number | null
}
