/** A deliberate bug: one line of the shipped code changed. */
export type Mutant = {
  readonly name: string
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
}
