/**
 * Texts that users depend on, kept as files beside this one that are read by people: a line each. A line that is gone
 * breaks a user's script: it fails, with the nearest line that there is now. Additions break nothing; `GOLDEN=write` adds
 * them to the files.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../config/ask-both.ts'

const folder = join(packageRoot, 'test/golden')

/** The lines of a file, without its comments (`# …`) and empty lines. */
export const linesOf = (file: string): readonly string[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))

const headOf = (file: string): readonly string[] =>
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('# '))

/** Fails when a line of the file is not found any more. More may be found. */
export function assertGolden(file: string, found: readonly string[]): void {
  if (process.env['GOLDEN'] === 'write') return write(file, found)
  const gone = linesOf(file).filter((line) => !found.includes(line))
  refuse(
    file,
    gone.map((line) => `- ${line}\n  nearest now: ${nearest(found, line)}`),
  )
}

export function write(file: string, found: readonly string[]): void {
  writeFileSync(join(folder, file), `${[...headOf(file), ...found].join('\n')}\n`)
}

/** `said`: what is gone, a text each. */
export function refuse(file: string, said: readonly string[]): void {
  const head = `test/golden/${file} holds what users depend on, and this is gone:`
  assert.equal(said.length, 0, [head, ...said].join('\n'))
}

/** Does a text contain a phrase, in which `…` stands for anything? */
export const holds = (text: string, phrase: string): boolean =>
  new RegExp(phrase.split('…').map(escaped).join('.*')).test(text)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The line that has most words of the phrase, for a failure that explains itself. */
export function nearest(lines: readonly string[], phrase: string): string {
  const words = phrase.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)
  const score = (line: string) => words.filter((word) => line.includes(word)).length
  return lines.reduce((best, line) => (score(line) > score(best) ? line : best), '').trim()
}
