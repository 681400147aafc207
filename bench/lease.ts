/**
 * What a kernel lease (vipd_kernel_lease) does and costs, beside a host without one, by turns in one run:
 *
 * - faults: all processes of a master are killed, or stand still: answers of two holders, time without an answer
 * - packets: processor time of the packets that arrive, by where they go
 * - arp: how long the answer to an ARP request takes
 * - many: start, reload, memory and processor time with 1 and with 1,000 instances
 *
 * npm run bench:lease -- [faults|packets|arp|many] [--n N] [--cases base,ipv6,…] [--faults kill,freeze]
 * [--instances 1,1000] [--advert-int 1] [--minutes M]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { arp } from './lease-arp.ts'
import type { LeaseBench } from './lease-common.ts'
import { faults } from './lease-faults.ts'
import { many } from './lease-many.ts'
import { packets } from './lease-packets.ts'

const benches = { faults, packets, arp, many } as const

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string' },
    cases: { type: 'string' },
    faults: { type: 'string', default: 'kill,freeze' },
    instances: { type: 'string', default: '1,1000' },
    'advert-int': { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
})
const wanted = (
  positionals.length > 0 ? positionals : Object.keys(benches)
) as (keyof typeof benches)[]
const endMs = performance.now() + Number(values.minutes) * 60_000
const options: LeaseBench = {
  n: values.n === undefined ? null : Number(values.n),
  cases: values.cases?.split(',') ?? null,
  faults: values.faults.split(','),
  instances: values.instances.split(',').map(Number),
  advertInt: Number(values['advert-int']),
  isOver: () => performance.now() > endMs,
  print: (cells) => void process.stdout.write(`| ${cells.join(' | ')} |\n`),
}
mkdirSync('bench/results', { recursive: true })
for (const name of wanted) {
  const bench = benches[name]
  if (bench === undefined) throw new Error(`no bench ${name}: ${Object.keys(benches).join()}`)
  process.stdout.write(`\n${name}\n\n`)
  const results = await bench(options)
  writeFileSync(`bench/results/lease-${name}.json`, `${JSON.stringify(results, null, 1)}\n`)
}
