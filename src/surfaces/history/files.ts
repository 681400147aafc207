/**
 * The files in which transitions are kept, and how they are read: `transitions.jsonl` and older ones, `transitions.1.jsonl`
 * and so on, a JSON object in each line. The first line of each is its head; a line that a crash has torn is none.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeptPage, KeptQuery, KeptTransition, LatestQuery } from '../../report/kept.ts'

export const historySchema = 1
/** Older ones beside the one that is written. */
export const olderFiles = 3
/** A file is no longer than this: about 5,000 transitions. */
export const fileBytesMax = 1024 * 1024
/** Of a page, so that no message is a large one. */
const pageBytesMax = 128 * 1024

/** 0: the one that is written. */
export const historyFile = (directory: string, age: number): string =>
  join(directory, age === 0 ? 'transitions.jsonl' : `transitions.${age}.jsonl`)

/** `first`: no number in the file is smaller. `reserved`: numbers up to this one may have been given. */
export type Head = { readonly schema: number; readonly first: number; readonly reserved: number }

export type Line =
  | { readonly kind: 'head'; readonly head: Head }
  /** `reserved`: further numbers may be given; `closed`: the daemon ended in order, with that number. */
  | { readonly kind: 'reserved' | 'closed'; readonly number: number }
  | { readonly kind: 'transition'; readonly transition: KeptTransition }

/** The file was written by a newer vipd. */
export class NewerSchema extends Error {}

/** null: the line is torn, or none of ours. Throws NewerSchema. */
export function readLine(text: string): Line | null {
  const value = parsed(text)
  if (value === null) return null
  const { schema, first, reserved, closed, number, at, instance, from, to, why, cause } = value
  if (isNumber(schema)) {
    if (schema > historySchema)
      throw new NewerSchema(`it was written by a newer vipd (schema ${schema})`)
    if (!isNumber(first) || !isNumber(reserved)) return null
    return { kind: 'head', head: { schema, first, reserved } }
  }
  if (isNumber(reserved)) return { kind: 'reserved', number: reserved }
  if (isNumber(closed)) return { kind: 'closed', number: closed }
  const words = [at, instance, from, to, why, cause]
  if (!isNumber(number) || !words.every((word) => typeof word === 'string')) return null
  if (Number.isNaN(Date.parse(at as string))) return null
  return { kind: 'transition', transition: value as unknown as KeptTransition }
}

/** The lines of a file, without those that are torn; null: there is no such file. Throws the system's error. */
export const readLines = (path: string): readonly Line[] | null =>
  textOf(path)?.flatMap((text) => readLine(text) ?? []) ?? null

/** Those of a file that are not empty; none: there is no such file. Throws the system's error. */
export const textLines = (path: string): readonly string[] => textOf(path) ?? []

function textOf(path: string): readonly string[] | null {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((text) => text !== '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Throws the system's error, and NewerSchema. Without files the page is empty. */
export function readPage(directory: string, query: KeptQuery): KeptPage {
  const parts: string[] = []
  let bytes = 0
  let last = query.after
  for (const { transition } of transitionsOf(directory, query.after)) {
    if (!wanted(transition, query)) continue
    if (bytes > pageBytesMax) return { directory, lines: Buffer.from(parts.join('')), next: last }
    const text = `${JSON.stringify(transition)}\n`
    parts.push(text)
    bytes += text.length
    last = transition.number
  }
  return { directory, lines: Buffer.from(parts.join('')), next: null }
}

/** The latest that fit, in the order of their numbers. Throws as readPage does. */
export function readLatest(directory: string, query: LatestQuery): KeptPage {
  const { before, limit } = query
  const all: KeptQuery = { ...query, after: 0 }
  const chosen: string[] = []
  let bytes = 0
  let oldest = before ?? Number.MAX_SAFE_INTEGER
  const page = (next: number | null): KeptPage => ({
    ...{ directory, next },
    lines: Buffer.from(chosen.toReversed().join('')),
  })
  for (const transition of latestOf(directory)) {
    if (transition.number >= oldest || !wanted(transition, all)) continue
    if (chosen.length >= limit || bytes > pageBytesMax) return page(oldest)
    const text = `${JSON.stringify(transition)}\n`
    chosen.push(text)
    bytes += text.length
    oldest = transition.number
  }
  return page(null)
}

/** null: it is not there. Throws as `readPage` does. */
export function numbered(directory: string, number: number): KeptTransition | null {
  for (const transition of latestOf(directory)) if (transition.number <= number) return transition
  return null
}

/** The latest first. */
function* latestOf(directory: string) {
  for (let age = 0; age <= olderFiles; age += 1)
    for (const line of (readLines(historyFile(directory, age)) ?? []).toReversed())
      if (line.kind === 'transition') yield line.transition
}

/** From the oldest file on that may have one with a greater number. */
function* transitionsOf(directory: string, after: number) {
  for (let age = oldestWanted(directory, after); age >= 0; age -= 1)
    for (const line of readLines(historyFile(directory, age)) ?? [])
      if (line.kind === 'transition') yield line
}

function oldestWanted(directory: string, after: number): number {
  let age = 0
  while (age < olderFiles) {
    const [head] = readLines(historyFile(directory, age)) ?? []
    if (head?.kind === 'head' && head.head.first <= after + 1) return age
    age += 1
  }
  return age
}

function wanted(transition: KeptTransition, { name, after, sinceMs, untilMs }: KeptQuery): boolean {
  const atMs = Date.parse(transition.at)
  const named = name === null || transition.instance === name
  return named && transition.number > after && atMs >= sinceMs && atMs <= untilMs
}

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** null: it is no object in JSON. */
export function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
