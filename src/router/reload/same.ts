/** Equality of plain data out of the configuration: where something is written in the file is no difference. */
export function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = keysOf(a)
  const entries = b as Readonly<Record<string, unknown>>
  return (
    keys.length === keysOf(b).length &&
    keys.every((key) => key in b && same((a as typeof entries)[key], entries[key]))
  )
}

const keysOf = (value: object): string[] => Object.keys(value).filter((key) => key !== 'place')
