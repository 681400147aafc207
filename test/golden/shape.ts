/** The shape of JSON: every path with the types that are found there. */

export class Shape {
  readonly #types = new Map<string, Set<string>>()

  add(path: string, value: unknown): void {
    this.#note(path, typeOf(value))
    if (Array.isArray(value)) for (const item of value) this.add(`${path}[]`, item)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      for (const [key, inner] of Object.entries(value)) this.add(`${path}.${key}`, inner)
  }

  /**
   * What a frozen shape has and this one lacks: a path that is gone although what would hold it was seen, and a type that
   * a frozen path never had. An empty list and a null hide what they might hold.
   */
  breaks(frozen: readonly string[]): readonly string[] {
    return frozen.flatMap((line) => {
      const [path = '', types = ''] = line.split(': ')
      const now = this.#types.get(path)
      if (now === undefined) return this.#couldBeSeen(path) ? [`- ${line}`] : []
      const more = [...now].filter((type) => !types.split('|').includes(type))
      return more.length === 0 ? [] : [`- ${line}\n  now also: ${more.join('|')}`]
    })
  }

  /** With those of an earlier shape, for the file. */
  addFrozen(frozen: readonly string[]): void {
    for (const line of frozen) {
      const [path = '', types = ''] = line.split(': ')
      for (const type of types.split('|')) this.#note(path, type)
    }
  }

  #couldBeSeen(path: string): boolean {
    if (path.endsWith('[]')) return false
    const at = path.lastIndexOf('.')
    return at < 0 || this.#types.get(path.slice(0, at))?.has('object') === true
  }

  /** `status.instances[].vrid: number`, sorted. Several types are joined with `|`. */
  lines(): readonly string[] {
    return [...this.#types].map(([path, types]) => `${path}: ${[...types].sort().join('|')}`).sort()
  }

  #note(path: string, type: string): void {
    const types = this.#types.get(path) ?? new Set()
    this.#types.set(path, types.add(type))
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return value instanceof Uint8Array ? 'octets' : typeof value
}
