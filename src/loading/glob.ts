/** glob(7) without braces, one directory level at a time. Names that begin with a dot need one in the pattern. */
import { opendirSync, statSync } from 'node:fs'
import { entriesMax } from './bounds.ts'

/** How many names may still be looked at. */
export type Allowance = { left: number }

export const usualAllowance = (): Allowance => ({ left: entriesMax })

class TooMany extends Error {}

/** What the pattern matches, sorted; null: the directories hold more names than may be looked at. */
export function glob(pattern: string, allowance: Allowance): readonly string[] | null {
  const absolute = pattern.startsWith('/')
  const parts = pattern.split('/').filter((part) => part !== '')
  let found = [absolute ? '/' : '']
  try {
    for (const part of parts)
      found = found.flatMap((directory) => entries(directory, part, allowance))
  } catch (error) {
    if (error instanceof TooMany) return null
    throw error
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function spend(allowance: Allowance): void {
  allowance.left--
  if (allowance.left < 0) throw new TooMany()
}

function entries(directory: string, part: string, allowance: Allowance): string[] {
  const join = (name: string): string =>
    directory === '' || directory.endsWith('/') ? directory + name : `${directory}/${name}`
  spend(allowance)
  if (!/[*?[\\]/.test(part)) return exists(join(part)) ? [join(part)] : []
  const matches = nameMatcher(part)
  return namesOf(directory === '' ? '.' : directory, allowance)
    .filter((name) => !name.startsWith('.') || part.startsWith('.'))
    .filter(matches)
    .map(join)
}

/** Links in a circle are there, and reading them says what they are. */
function exists(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ELOOP'
  }
}

/** Read in portions: a directory of millions of names is left in time. */
function namesOf(path: string, allowance: Allowance): string[] {
  const names: string[] = []
  const directory = attempt(() => opendirSync(path))
  if (directory === null) return names
  try {
    for (;;) {
      const entry = attempt(() => directory.readSync())
      if (entry === null) return names
      spend(allowance)
      names.push(entry.name)
    }
  } finally {
    directory.closeSync()
  }
}

function attempt<T>(act: () => T): T | null {
  try {
    return act()
  } catch {
    return null
  }
}

function nameMatcher(part: string): (name: string) => boolean {
  const source = part.replace(/\\([\s\S])|\[!?\]?[^\]]*\]|[\s\S]/g, (piece, escaped?: string) => {
    if (escaped !== undefined) return literal(escaped)
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    return piece.length > 1 ? characterClass(piece) : literal(piece)
  })
  const expression = attempt(() => new RegExp(`^${source}$`, 'su'))
  return (name) => expression?.test(name) ?? false
}

const literal = (char: string): string => char.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')

/** `[!a-z]` → `[^a-z]`; everything but `-` between two characters is itself. */
function characterClass(piece: string): string {
  const inner = piece.slice(1, -1)
  const negated = inner.startsWith('!') || inner.startsWith('^')
  const members = (negated ? inner.slice(1) : inner).replace(/[\\\]^[]/g, '\\$&')
  return `[${negated ? '^' : ''}${members}]`
}
