/**
 * `npm run bench:routes`: what 20 addresses, 20 routes and 20 rules add to a take-over. The master's cable is cut, and the
 * first answer to a client past the protocol's deadline counts: vipd with them, vipd with one address, and keepalived
 * with them, one after the other, ROUNDS (20) times. Milliseconds.
 */

import { summarise } from '../src/base/statistics.ts'
import { keepalivedContender, vipdContender } from '../src/bench/contender.ts'
import { Pair } from '../src/bench/pair.ts'
import { strikeOnce } from '../src/bench/trial.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'

ensureNamespaces()
const rounds = Number(process.env['ROUNDS'] ?? 20)
const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
const block = (name: string, lines: readonly string[]): string =>
  `  ${name} {\n    ${lines.join('\n    ')}\n  }\n`
const load = [
  block(
    'virtual_ipaddress_excluded',
    numbers.slice(1).map((i) => `172.16.80.${100 + i}/24`),
  ),
  block(
    'virtual_routes',
    numbers.map((i) => `198.18.${i}.0/24 via 172.16.80.9 dev eth0 table 300`),
  ),
  block(
    'virtual_rules',
    numbers.map((i) => `from 198.18.${i}.0/24 table 300 priority ${1000 + i}`),
  ),
].join('')

const loaded = (config: string): string => config.replace(/\}\s*$/, `${load}}\n`)
const keepalived = keepalivedContender('keepalived')
const contenders = [
  vipdContender,
  {
    name: 'vipd, 20 of each',
    start: (...[host, text]: Parameters<typeof vipdContender.start>) =>
      vipdContender.start(host, loaded(text)),
  },
  ...(keepalived === null
    ? []
    : [
        {
          name: `${keepalived.name}, 20 of each`,
          start: (...[host, text]: Parameters<typeof vipdContender.start>) =>
            keepalived.start(host, loaded(text)),
        },
      ]),
]

const pairs: Pair[] = []
const measured = contenders.map(({ name }) => ({
  name,
  arp: [] as number[],
  answer: [] as number[],
}))
try {
  for (const contender of contenders) pairs.push(await Pair.open(contender, 0.1))
  for (let round = 0; round < rounds; round++)
    for (const [i, pair] of pairs.entries()) {
      const { struck } = await strikeOnce(pair, 'cut')
      if (struck === 'early') continue
      if (struck.arpMs !== null) measured[i]?.arp.push(struck.arpMs)
      if (struck.answerMs !== null) measured[i]?.answer.push(struck.answerMs)
    }
} finally {
  for (const pair of pairs) await pair.close()
}

const row = (name: string, values: readonly number[]): string => {
  const { n = 0, min = 0, p50 = 0, max = 0 } = summarise(values) ?? {}
  const columns = [String(n), ...[min, p50, max].map((it) => it.toFixed(2))]
  return `${name.padEnd(36)}${columns.map((it) => it.padStart(9)).join('')}\n`
}
process.stdout.write('past the floor, ms                          n      min   median      max\n')
for (const { name, arp, answer } of measured)
  process.stdout.write(`${row(`${name}: announced`, arp)}${row(`${name}: answered`, answer)}`)
