/** What an operator types: commands, their arguments and options, as `--help` lists them. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../config/ask-both.ts'
import { assertGolden } from './golden.ts'

const bin = join(packageRoot, 'dist/src/cli/run.js')

const help = (words: readonly string[]): string =>
  execFileSync(process.execPath, [bin, ...words, '--help'], { encoding: 'utf8' })

/** The terms of a section of a help text: `-f, --file <file>`; continued lines have none. */
function terms(text: string, section: string): readonly string[] {
  const [, body = ''] = new RegExp(`^${section}:\\n((?: .*\\n|\\n(?= ))*)`, 'm').exec(text) ?? []
  return body.split('\n').flatMap((line) => /^ {2}(\S(?:.*?\S)??)(?: {2}|$)/.exec(line)?.[1] ?? [])
}

/** `status [options] [name]`, then `status --json`, …, of a command and of those below it. */
function describe(words: readonly string[]): readonly string[] {
  const text = help(words)
  const name = ['vipd', ...words].join(' ')
  const usage = /^Usage: (.*)$/m.exec(text)?.[1] ?? ''
  const options = terms(text, 'Options').map((term) => `${name}: ${term}`)
  const below = terms(text, 'Commands').map((term) => term.split(' ')[0] ?? '')
  const inner = below
    .filter((word) => word !== 'help')
    .flatMap((word) => describe([...words, word]))
  return [usage, ...options, ...inner]
}

test('commands, arguments and options', () => {
  assertGolden('commands.txt', describe([]))
})
