/**
 * What has been written of the plain options of one type, and where. Most blocks write few of them and a file may have
 * thousands of blocks: what is not written costs nothing.
 */
import type { Place } from '../place.ts'

export class Written<R> {
  #values: { -readonly [F in keyof R]?: R[F] } | null = null
  #places: { -readonly [F in keyof R]?: Place } | null = null

  get<F extends keyof R>(field: F): R[F] | undefined {
    return this.#values === null ? undefined : this.#values[field]
  }

  /** Of the last line that set it. */
  placeOf(field: keyof R): Place | undefined {
    return this.#places === null ? undefined : this.#places[field]
  }

  /** `place`: null where the value comes from no line of its own. */
  set<F extends keyof R>(field: F, value: R[F], place: Place | null): void {
    this.#values ??= {}
    this.#values[field] = value
    if (place === null) return
    this.#places ??= {}
    this.#places[field] = place
  }

  /** Puts what is written over `values`. */
  over(values: { -readonly [F in keyof R]?: R[F] }): void {
    if (this.#values !== null) Object.assign(values, this.#values)
  }
}
