/**
 * Runs inside a host of the lab: puts frames on eth0, as fast as it can, and prints what one has cost in ns of processor time.
 * `claim-sender.js arp|udp6 COUNT OWN-MAC PEER-MAC`
 */
import { execFileSync } from 'node:child_process'
import { concatBytes, viewOf } from '../src/base/bytes.ts'
import { type Ip, ipBytes, parseIp } from '../src/base/ip.ts'
import { macOctets } from '../src/base/mac.ts'
import { us } from '../src/base/time.ts'
import { startEngine } from '../src/engine/native.ts'
import { dropAllFilter } from '../src/wire/bpf.ts'
import { checksum, pseudoHeaderSum } from '../src/wire/checksum.ts'

const [kind = '', count = '', own = '', peer = ''] = process.argv.slice(2)
const [everyone, udp] = ['ff:ff:ff:ff:ff:ff', 17]

const address = (text: string): Ip => {
  const ip = parseIp(text)
  if (ip === null) throw new Error(text)
  return ip
}

/** A client that asks for another host. */
const arp = (): Uint8Array =>
  concatBytes([
    ...[macOctets(everyone), macOctets(own)],
    Uint8Array.of(8, 6, 0, 1, 8, 0, 6, 4, 0, 1),
    ...[macOctets(own), ipBytes(address('172.16.80.9'))],
    ...[new Uint8Array(6), ipBytes(address('172.16.80.77'))],
  ])

/** 64 octets to a port on which nothing listens. */
function udp6(): Uint8Array {
  const [from, to] = [address('fd00:80::9'), address('fd00:80::2')]
  const length = 8 + 64
  const datagram = concatBytes([
    Uint8Array.of(0x30, 0, 0x27, 0x0f, 0, length, 0, 0),
    new Uint8Array(64),
  ])
  viewOf(datagram).setUint16(6, checksum(datagram, pseudoHeaderSum(from, to, udp, length)))
  return concatBytes([
    ...[macOctets(peer), macOctets(own)],
    Uint8Array.of(0x86, 0xdd, 0x60, 0, 0, 0, 0, length, udp, 64),
    ...[ipBytes(from), ipBytes(to), datagram],
  ])
}

const [link] = JSON.parse(
  execFileSync('ip', ['-j', 'link', 'show', 'eth0'], { encoding: 'utf8' }),
) as { ifindex: number }[]
if (link === undefined) throw new Error('no eth0')
const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const { engine } = startEngine(options, () => undefined)
const source = address('127.0.0.1')
const lo = { family: 4, interface: 'lo', ifindex: 1, source, group: null, ttl: null } as const
const receiving = { filter: dropAllFilter(), receiveOnAny: false, receiveBufferBytes: null }
engine.addSlot(1, engine.openLink({ ...lo, ...receiving }), 1)

const bytes = kind === 'arp' ? arp() : udp6()
const now = Array.from({ length: 1_000 }, () => ({
  ...{ kind: 'frame' as const, ifindex: link.ifindex, bytes },
}))
let generation = 0
async function send(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    generation += 1
    engine.order([{ slot: 1, generation, order: { kind: 'idle', now } }])
    await engine.flush()
  }
}
await send(5)
const rounds = Math.ceil(Number(count) / now.length)
const before = process.cpuUsage()
await send(rounds)
const { user, system } = process.cpuUsage(before)
process.stdout.write(`${(((user + system) * 1_000) / (rounds * now.length)).toFixed(0)}\n`)
engine.stop()
