/**
 * What one packet costs in TypeScript, and one expected advert in the engine's core (with the step from JavaScript into
 * it, which the daemon does not take).
 *
 * npm run bench:codec
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { Bench } from 'tinybench'
import type { Ip } from '../src/base/ip.ts'
import { parseIp } from '../src/base/ip.ts'
import { us } from '../src/base/time.ts'
import { makeCore } from '../src/engine/core-harness.ts'
import { followPatience } from '../src/engine/policy.ts'
import { encodeGratuitousArp } from '../src/wire/arp.ts'
import { type AdvertFields, decodeAdvert, encodeAdvert } from '../src/wire/vrrp.ts'

function ip(text: string): Ip {
  const parsed = parseIp(text)
  if (parsed === null) throw new Error(text)
  return parsed
}

const source = ip('172.16.80.2')
const destination = ip('224.0.0.18')
const fields: AdvertFields = {
  version: 3,
  family: 4,
  vrid: 51,
  priority: 150,
  intervalUs: us(100_000),
  addresses: [ip('172.16.80.100')],
  password: null,
  source,
  destination,
  checksumAsV2: false,
}
const twenty = {
  ...fields,
  addresses: Array.from({ length: 20 }, (_, i) => ip(`172.16.80.${100 + i}`)),
}
const payload = encodeAdvert(fields)
const packet = { payload, ttl: 255, source, destination }
const expectation = {
  version: 3,
  family: 4,
  vrid: 51,
  intervalUs: us(100_000),
  mode: 'multicast',
  peers: null,
  password: null,
  checksumAsV2: false,
  mayBeEmpty: false,
} as const
const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)

const core = makeCore(us(0), us(0))
core.addLink(1)
core.addSlot(1, 1, 51)
const restartUs = us(361_000)
const lead = { now: [], repeats: [], resign: [], lateUs: us(300_000), wardenLateUs: us(225_000) }
core.order(
  [
    {
      slot: 1,
      generation: 1,
      order: {
        kind: 'follow',
        now: [],
        expect: { from: source, ttl: 255, payload },
        deadlineUs: restartUs,
        restartUs,
        ...followPatience(restartUs),
        onExpiry: lead,
      },
    },
  ],
  us(0),
)
let now = 0
const expected = { link: 1, from: source, ttl: 255, payload }

const bench = new Bench({ time: 1_000 })
bench
  .add('encode an advert, 1 address', () => encodeAdvert(fields))
  .add('encode an advert, 20 addresses', () => encodeAdvert(twenty))
  .add('decode an advert, 1 address', () => decodeAdvert(packet, expectation))
  .add('encode a gratuitous ARP', () => encodeGratuitousArp(mac, source))
  .add('core: an expected advert', () => core.packet(expected, us(++now)))
await bench.run()

process.stdout.write('| what | ns each | ± % | n |\n| --- | ---: | ---: | ---: |\n')
const rows = bench.tasks.map((task) => {
  const { result } = task
  if (result.state !== 'completed') throw new Error(`${task.name}: ${result.state}`)
  const { mean, rme } = result.latency
  const n = result.latency.samplesCount
  process.stdout.write(`| ${task.name} | ${(mean * 1e6).toFixed(0)} | ${rme.toFixed(1)} | ${n} |\n`)
  return { what: task.name, nanoseconds: mean * 1e6, rme, n }
})
if (core.counters(1).received === 0) throw new Error('no advert was expected')
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/codec.json', `${JSON.stringify(rows, null, 2)}\n`)
