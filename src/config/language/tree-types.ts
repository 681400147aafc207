/**
 * The shape between reading the configuration language and giving it a meaning. The language layer
 * (tree.ts) knows braces, quotes, includes and substitution and no keyword; the layer above knows
 * keywords and no braces. Every word carries the place where it was written, so a diagnostic can
 * point at it whichever layer finds the mistake.
 */

import type { Place } from '../place.ts'
import type { Diagnostic } from '../types.ts'

/** One word of a line. `quoted`: it was written in double quotes, which are not part of `text`. */
export type Word = { readonly text: string; readonly place: Place; readonly quoted: boolean }

/**
 * One logical line and the block that follows it. Inside a value block (`virtual_ipaddress`, `group`, …)
 * each entry is a Node too: its keyword is the entry's first word. Every block is kept as nested nodes,
 * whether or not its keyword is known, so that an unknown one can be skipped whole.
 */
export type Node = {
  readonly keyword: Word
  readonly args: readonly Word[]
  /** The logical line after substitution and comment removal, from the keyword on. */
  readonly raw: string
  /** A comment begins right behind the last word, without a blank between. */
  readonly glued: boolean
  /** null: no braces followed. */
  readonly block: readonly Node[] | null
  readonly place: Place
  /** Place of `{`, for diagnostics. */
  readonly opened: Place | null
}

export type Tree = {
  readonly nodes: readonly Node[]
  readonly diagnostics: readonly Diagnostic[]
  /** Every file that was read, in the order of reading, as named or matched. */
  readonly files: readonly string[]
}

/**
 * What the command line decides about the language. (`include_check` lines inside `global_defs` set the
 * other include rules; the language layer sees those itself.)
 */
export type LanguageOptions = {
  /** What `@id` lines and `${_INSTANCE}` compare with; null: the host name up to the first dot. */
  readonly configId: string | null
  /** Every include check is on from the start (`-e`). */
  readonly includeAll: boolean
}
