/** Log phrases and warnings that people grep for are in the sources, wherever they have moved to. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../config/ask-both.ts'
import { linesOf, nearest, refuse } from './golden.ts'

const root = join(packageRoot, 'src')
const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => readFileSync(join(root, path), 'utf8').split('\n'))
  .filter((line) => !/^\s*(\/?\*|\/\/)/.test(line))

/** In a source a value is `${…}`, and a back quote is escaped. */
function inSource(phrase: string): RegExp {
  const parts = phrase
    .split('…')
    .map((part) => part.replaceAll('`', '\\`').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(parts.join('\\$\\{.+?\\}'))
}

function requirePhrases(file: string, phrases: readonly string[]): void {
  const gone = phrases.filter((phrase) => !code.some((line) => inSource(phrase).test(line)))
  refuse(
    file,
    gone.map((phrase) => `- ${phrase}\n  nearest now: ${nearest(code, phrase)}`),
  )
}

test('log phrases', () => {
  const all = linesOf('phrases.txt').map((line) => line.split('\t'))
  requirePhrases(
    'phrases.txt',
    all.flatMap(([where, phrase = '']) => (where === 'source' ? [phrase] : [])),
  )
})

test('warnings of vipd status', () => {
  requirePhrases('warnings.txt', linesOf('warnings.txt'))
})
