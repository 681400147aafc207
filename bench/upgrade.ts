/**
 * What `vipd upgrade` costs: adverts, transitions, announcements and a client, over many upgrades in a row.
 *
 * npm run bench:upgrade -- pair    [--n 200] [--advert-int 0.01] [--role …] [--peer …]   of the master and of the backup, beside
 *                                                          vipd and keepalived; each beside as many that are refused
 * npm run bench:upgrade -- killed  [--n 100] [--advert-int 0.1] [--victim new|old|both] [--step …]   killed at instants of all its steps
 * npm run bench:upgrade -- many    [--n 5] [--instances 1000] [--role …]                  with many instances
 * npm run bench:upgrade -- bfd     [--n 50] [--remote vipd|BIRD]                           with a BFD session of 10 ms × 3
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { remotes, withSessions } from './upgrade-bfd.ts'
import { killed, victims } from './upgrade-killed.ts'
import type { Row } from './upgrade-lab.ts'
import { many } from './upgrade-many.ts'
import { pair } from './upgrade-pair.ts'

function table(rows: readonly Row[]): string {
  const [first] = rows
  if (first === undefined) return ''
  const columns = Object.keys(first)
  const cell = (value: string | number | undefined): string =>
    typeof value === 'number' ? String(Math.round(value * 100) / 100) : (value ?? '')
  const lines = rows.map((row) => `| ${columns.map((key) => cell(row[key])).join(' | ')} |`)
  return [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...lines, ''].join(
    '\n',
  )
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string' },
    'advert-int': { type: 'string' },
    instances: { type: 'string', default: '1000' },
    role: { type: 'string' },
    peer: { type: 'string' },
    victim: { type: 'string' },
    step: { type: 'string' },
    remote: { type: 'string' },
  },
})
const [what = 'pair'] = positionals
const number = (usual: number) => Number(values.n ?? usual)
const interval = (usual: number) => Number(values['advert-int'] ?? usual)
const chosen = <T extends string>(all: readonly T[], one: string | undefined): readonly T[] =>
  all.filter((it) => one === undefined || it === one)
const roles = chosen(['master', 'backup'], values.role)

async function besideRemotes(n: number): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const remote of chosen(remotes, values.remote)) rows.push(...(await withSessions(remote, n)))
  return rows
}

async function run(): Promise<readonly Row[]> {
  const rows: Row[] = []
  if (what === 'killed')
    for (const victim of chosen(victims, values.victim ?? 'new'))
      rows.push(...(await killed(number(100), interval(0.1), victim, values.step)))
  else if (what === 'bfd') rows.push(...(await besideRemotes(number(50))))
  else if (what === 'many')
    for (const role of roles) rows.push(await many(role, number(5), Number(values.instances)))
  else
    for (const role of roles)
      for (const peer of chosen(['vipd', 'keepalived'], values.peer))
        rows.push(...(await pair(role, peer, number(200), interval(0.01))))
  return rows
}

const rows = await run()
process.stdout.write(table(rows))
mkdirSync('bench/results', { recursive: true })
writeFileSync(`bench/results/upgrade-${what}.json`, `${JSON.stringify(rows, null, 2)}\n`)
