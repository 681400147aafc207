/**
 * What checks cost and how punctual they are: probes per second, processor time per probe and lateness, by kind, from 1 to
 * 5,000 checks at 100 ms in one worker; the same with checks among them that hang; the same commands under keepalived;
 * and how long the death of a service takes to reach a verdict, and the address to reach the peer.
 *
 * npm run bench:checks -- [costs|hanging|scripts|failover …] [--seconds 5] [--n 20]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { costs, hanging } from './checks-cost.ts'
import { failover } from './checks-failover.ts'
import { costPicture } from './checks-picture.ts'
import { scripts } from './checks-scripts.ts'

const parts = { costs, hanging, scripts, failover }
type Part = keyof typeof parts

const isPart = (word: string): word is Part => Object.hasOwn(parts, word)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    n: { type: 'string', default: '20' },
  },
})
const wanted = positionals.length === 0 ? Object.keys(parts) : positionals
const unknown = wanted.find((word) => !isPart(word))
if (unknown !== undefined) throw new Error(`no such part: ${unknown}`)
await ensureNamespaces()
const results: Record<string, unknown> = {}
const pictures = new Map<string, string>()
for (const part of wanted.filter(isPart)) {
  console.log(`\n## ${part}\n`)
  const rows = await parts[part]({ seconds: Number(values.seconds), n: Number(values.n) })
  print(rows)
  results[part] = rows
  if (part === 'costs') pictures.set('checks-cost.svg', costPicture(rows))
}
mkdirSync('bench/results', { recursive: true })
for (const [name, picture] of pictures) writeFileSync(`bench/results/${name}`, picture)
writeFileSync('bench/results/checks.json', `${JSON.stringify(results, null, 2)}\n`)

function print(rows: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  console.log(line(columns))
  console.log(line(columns.map((_, i) => (i === 0 ? '---' : '---:'))))
  for (const row of rows) console.log(line(columns.map((column) => row[column] ?? '-')))
}
