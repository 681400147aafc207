/**
 * Which files an include directive names, and whether that is a mistake. keepalived tolerates by default
 * that nothing matches; `includem` and its kin, `include_check` and `-e` turn that into a refusal.
 */

import type { Place } from '../place.ts'
import type { Diagnostic } from '../types.ts'
import type { FileText, World } from '../world.ts'
import { errorAt, noteAt, warningAt } from './diagnostics.ts'
import { braceAlternativesMax } from './limits.ts'

/** `read` is part of each of the others. */
type IncludeCheck = 'read' | 'match' | 'wildcard' | 'brace'
export type IncludeChecks = ReadonlySet<IncludeCheck>

export type Found = { readonly path: string; readonly text: string }
type Search = {
  readonly files: readonly Found[]
  readonly diagnostics: readonly Diagnostic[]
}

const everyCheck: readonly IncludeCheck[] = ['read', 'match', 'wildcard', 'brace']
export const allChecks: IncludeChecks = new Set(everyCheck)
export const noChecks: IncludeChecks = new Set()

const added: Readonly<Record<string, readonly IncludeCheck[]>> = {
  include: [],
  includer: ['read'],
  includem: ['read', 'match'],
  includew: ['read', 'wildcard'],
  includeb: ['read', 'brace'],
  includea: everyCheck,
}

export type Directive = { readonly keyword: string; readonly operandAt: number }

/** The rest of the line, blanks and all, is the pattern; without one it is no directive. */
export function parseInclude(line: string): Directive | null {
  const found = /^(include[rmwba]?)[ \t\r\f\v]+(?=\S)/.exec(line)
  return found === null ? null : { keyword: found[1] ?? '', operandAt: found[0].length }
}

export function checksOf(keyword: string, current: IncludeChecks): IncludeChecks {
  return new Set([...current, ...(added[keyword] ?? [])])
}

const checkNames: Readonly<Record<string, IncludeCheck>> = {
  read: 'read',
  readable: 'read',
  match: 'match',
  wildcard_match: 'wildcard',
  brace_match: 'brace',
}

/** `include_check` operands; `unknown` holds those that mean nothing. A first word without a sign starts anew. */
export function parseChecks(
  operands: readonly string[],
  current: IncludeChecks,
): { readonly checks: IncludeChecks; readonly unknown: readonly number[] } {
  if (operands.length === 0) return { checks: allChecks, unknown: [] }
  const checks = new Set<IncludeCheck>(/^[+-]/.test(operands[0] ?? '') ? current : [])
  const unknown: number[] = []
  for (const [i, operand] of operands.entries()) {
    const check = checkNames[operand.replace(/^[+-]/, '')]
    if (check === undefined) unknown.push(i)
    else if (operand.startsWith('-')) checks.delete(check)
    else checks.add(check).add('read')
  }
  return { checks, unknown }
}

/** `pattern` is as written, `directory` what a relative one begins at ('' or ending in a slash). */
export function findIncluded(
  world: World,
  pattern: string,
  directory: string,
  checks: IncludeChecks,
  place: Place,
): Search {
  const alternatives = expandBraces(pattern)
  if (alternatives === null) {
    const message = `the braces of '${pattern}' stand for more than ${braceAlternativesMax} files`
    return { files: [], diagnostics: [errorAt(place, 'include-no-match', message, 'fatal')] }
  }
  const matches: (readonly string[])[] = []
  for (const one of alternatives) {
    const paths = matchesOf(world, one, directory)
    if (paths === null) return { files: [], diagnostics: [tooManyNames(place, one)] }
    matches.push(paths)
  }
  const diagnostics = unmatched(pattern, alternatives, matches, checks, place)
  const files: Found[] = []
  for (const path of matches.flat()) {
    const found = readable(world, path)
    if ('text' in found) files.push({ path, text: found.text })
    else diagnostics.push(skipped(place, path, found, checks))
  }
  return { files, diagnostics }
}

/** A file beyond the bounds is never left out in silence: keepalived would read it. */
function skipped(place: Place, path: string, { why, limit }: Unread, checks: IncludeChecks) {
  const message = `${path} is not read: ${why}`
  if (limit) return errorAt(place, 'file-too-large', message, 'fatal')
  return verdictOf(checks.has('read'), place, 'include-unreadable', message)
}

export function tooManyNames(place: Place, pattern: string): Diagnostic {
  const message = `'${pattern}' reaches more names than are looked at; nothing of it is read`
  return errorAt(place, 'include-limit', message, 'fatal')
}

type Unread = Extract<FileText, { why: string }>

/** The file's content. An executable file is taken for a script, as in keepalived. */
export function readable(world: World, path: string): FileText {
  const executable = world.stat(path)
  if (executable?.kind === 'file' && (executable.mode & 0o111) !== 0)
    return { why: 'it is executable', limit: false }
  return world.readFile(path)
}

/** Every path that the pattern names, in order; null: too many braces, or names to look at. */
export function pathsOf(world: World, pattern: string): readonly string[] | null {
  const all: string[] = []
  for (const one of expandBraces(pattern) ?? []) {
    const paths = matchesOf(world, one, '')
    if (paths === null) return null
    for (const path of paths) all.push(path)
  }
  return all
}

function unmatched(
  pattern: string,
  alternatives: readonly string[],
  matches: readonly (readonly string[])[],
  checks: IncludeChecks,
  place: Place,
): Diagnostic[] {
  const wild = alternatives.some(hasWildcard)
  if (matches.every((paths) => paths.length === 0)) {
    const message = `no file matches '${pattern}'`
    if (checks.has('wildcard'))
      return [errorAt(place, 'include-wildcard-no-match', message, 'fatal')]
    if (!wild) return [verdictOf(checks.has('match'), place, 'include-no-match', message)]
    // A folder of further files may be empty; keepalived says so too.
    if (alternatives.length === 1) return [noteAt(place, 'include-no-match', message)]
  }
  if (alternatives.length === 1) return []
  const missing = alternatives.filter((one, i) => matches[i]?.length === 0 && !hasWildcard(one))
  return missing.map((one) =>
    verdictOf(checks.has('brace'), place, 'include-brace-no-match', `no file matches '${one}'`),
  )
}

function verdictOf(refuse: boolean, place: Place, code: string, message: string): Diagnostic {
  return refuse ? errorAt(place, code, message, 'fatal') : warningAt(place, code, message, 'lost')
}

function matchesOf(world: World, one: string, directory: string): readonly string[] | null {
  const path = one.startsWith('/') ? one : directory + one
  if (hasWildcard(one)) return world.glob(path)
  const plain = path.replace(/\\([\s\S])/g, '$1')
  // A link that leads nowhere, or in a circle, is there: reading it says why it is of no use.
  const there = world.stat(plain) !== null || world.readlink(plain) !== null
  return there ? [plain] : []
}

const hasWildcard = (pattern: string): boolean => /[*?[]/.test(pattern.replace(/\\[\s\S]/g, ''))

/** csh braces, nested; `{}` and a brace that nothing closes mean themselves. null: beyond the limit. */
function expandBraces(pattern: string): readonly string[] | null {
  const done: string[] = []
  const todo = [pattern]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const group = firstGroup(next)
    if (group === null) done.push(next)
    else todo.push(...group.reverse())
    if (done.length + todo.length > braceAlternativesMax) return null
  }
  return done
}

/** The pattern with its first group replaced by each of its alternatives. */
function firstGroup(pattern: string): string[] | null {
  for (let open = pattern.indexOf('{'); open >= 0; open = pattern.indexOf('{', open + 1)) {
    const commas = groupCommas(pattern, open)
    if (commas === null) continue
    const tail = pattern.slice((commas.at(-1) ?? 0) + 1)
    return commas.map((to, i) => {
      const from = i === 0 ? open : (commas[i - 1] ?? 0)
      return pattern.slice(0, open) + pattern.slice(from + 1, to) + tail
    })
  }
  return null
}

/** Offsets of the commas of this group and of its end; null: `{}`, or nothing closes it. */
function groupCommas(pattern: string, open: number): number[] | null {
  if (pattern[open + 1] === '}') return null
  const commas: number[] = []
  let depth = 0
  for (let at = open; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '{') depth++
    else if (char === ',' && depth === 1) commas.push(at)
    else if (char === '}' && --depth === 0) return [...commas, at]
  }
  return null
}
