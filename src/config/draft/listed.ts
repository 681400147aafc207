/**
 * What has been listed already, by list. Looking through the list itself for each line would make a file of 400,000
 * lines take an hour.
 */
export class Listed<T> {
  readonly #seen = new WeakMap<object, Map<string, T>>()

  /** What was noted for that name in that list before; else null, and it is noted now. */
  before(list: object, name: string, value: T): T | null {
    const names = this.#seen.get(list) ?? new Map<string, T>()
    this.#seen.set(list, names)
    const earlier = names.get(name)
    if (earlier !== undefined) return earlier
    names.set(name, value)
    return null
  }
}
