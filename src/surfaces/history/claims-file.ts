/**
 * The file in which claims of other machines are kept, beside those of the transitions: neither takes the other's place. A
 * line is an entry as it was then, a later one of the same entry takes its place. A file that is full is written anew with
 * the latest entries, once each. `vipd` of before does not know the file, and leaves it alone.
 */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { type ClaimsQuery, jsonLines } from '../../report/kept.ts'
import { claimIsWithin, type KeptClaim, newestClaims } from '../../report/past-claim.ts'
import { AppendedFile, makePrivate } from './appended-file.ts'
import { NewerSchema, parsed, textLines } from './files.ts'

const claimsSchema = 1
/** A file is no longer than this, and fits into a message; as many entries as the daemon holds at once take less. */
export const claimsBytesMax = 256 * 1024
/** Of entries that stay when it is written anew: about 400. */
const keptBytesMax = claimsBytesMax / 2

export const claimsFile = (directory: string): string => join(directory, 'claims.jsonl')

/** Each entry as it was told last, in the order of their times. Throws the system's error, and NewerSchema. */
export const readClaims = (directory: string): readonly KeptClaim[] =>
  newestClaims(textLines(claimsFile(directory)).flatMap((text) => readLine(text) ?? []))

/** As `readClaims`, those of the span. */
export const claimsPage = (directory: string, query: ClaimsQuery): Buffer =>
  jsonLines(readClaims(directory).filter((claim) => claimIsWithin(claim, query)))

export class ClaimsStore {
  readonly #directory: string
  #file: AppendedFile

  /** Makes the directory where it is missing. Throws the system's error, and NewerSchema. */
  constructor(directory: string) {
    this.#directory = directory
    makePrivate(directory)
    readClaims(directory)
    this.#file = new AppendedFile(claimsFile(directory))
    try {
      // Behind a line that a crash has torn.
      this.#file.append(this.#file.bytes === 0 ? head : '\n')
    } catch (error) {
      this.#file.close()
      throw error
    }
  }

  /** Throws the system's error: then none of them is kept. */
  keep(claims: readonly KeptClaim[]): void {
    const lines = jsonLines(claims)
    if (this.#file.bytes + lines.length > claimsBytesMax) this.#shorten(lines.length)
    this.#file.append(lines.toString())
  }

  close(): void {
    this.#file.close()
  }

  /** Another file takes its place, whole, with room for so many octets. */
  #shorten(room: number): void {
    const mostBytes = Math.min(keptBytesMax, claimsBytesMax - head.length - room)
    const path = claimsFile(this.#directory)
    const fresh = new AppendedFile(`${path}.new`, true)
    try {
      fresh.append(head + latest(readClaims(this.#directory), mostBytes))
      renameSync(`${path}.new`, path)
    } catch (error) {
      fresh.close()
      throw error
    }
    this.#file.close()
    this.#file = fresh
  }
}

const head = `${JSON.stringify({ schema: claimsSchema })}\n`

/** As many of the latest as fit. */
function latest(claims: readonly KeptClaim[], mostBytes: number): string {
  const lines: string[] = []
  let bytes = 0
  for (const claim of claims.toReversed()) {
    const line = `${JSON.stringify(claim)}\n`
    bytes += Buffer.byteLength(line)
    if (bytes > mostBytes) break
    lines.push(line)
  }
  return lines.toReversed().join('')
}

const texts = ['instance', 'at', 'firstAt', 'lastAt', 'address', 'interface', 'how'] as const

/** null: the line is torn, or none of ours. Throws NewerSchema. */
function readLine(text: string): KeptClaim | null {
  const value = parsed(text)
  if (value === null) return null
  const { schema, mac, count, at, firstAt, lastAt } = value
  if (typeof schema === 'number' && schema > claimsSchema)
    throw new NewerSchema(`it was written by a newer vipd (schema ${schema})`)
  if (!texts.every((name) => typeof value[name] === 'string')) return null
  if (mac !== null && typeof mac !== 'string') return null
  const times = [at, firstAt, lastAt].map((time) => Date.parse(String(time)))
  if (typeof count !== 'number' || times.some(Number.isNaN)) return null
  return value as unknown as KeptClaim
}
