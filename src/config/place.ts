/** Where in the files something is written. */

/** Line and column count from 1, columns in characters. */
export type Place = { readonly file: string; readonly line: number; readonly column: number }
