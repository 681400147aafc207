/**
 * What an attacker, or a broken machine, puts on the segment: for each kind of flood the frames
 * of which it consists, and the program on a host that sends them over and over at a given rate.
 */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, parseIp } from '../base/ip.ts'
import { seeded } from '../base/seeded.ts'
import { millisecondsToUs } from '../base/time.ts'
import { checksum } from '../wire/checksum.ts'
import { encodeAdvert, vrrpProtocol } from '../wire/vrrp.ts'
import type { Child } from './child.ts'
import type { Host } from './host.ts'
import { program } from './program.ts'

export const floodKinds = [
  /** Half with a wrong checksum, half with TTL 64. */
  'invalid',
  /** Valid adverts of a priority below that of every host. */
  'lower',
  /** Random octets in protocol 112, from many sources. */
  'garbage',
  /** A valid advert of priority 254 and a resignation by turns. */
  'flapping',
  /** A valid advert of priority 254 with the shortest interval, now and then: the pair takes over in between. */
  'intermittent',
  /** The master's address with TTL 254 and every priority. */
  'forged',
  /** Adverts that the pair sent when its priorities were lower, in its own names. */
  'replayed',
  /** The master's resignation, in its name. Valid, and false. */
  'resignations',
  /** Cut short, or 1,400 octets long. */
  'misshapen',
  /** Valid adverts of every other VRID, 40 sources each: 10,160 virtual routers. */
  'vrids',
  /** Version 2 with a wrong password; IPv4. */
  'passwords',
] as const
export type FloodKind = (typeof floodKinds)[number]

export type Flood = {
  readonly kind: FloodKind
  readonly family: Family
  readonly version: 2 | 3
  readonly vrid: number
  /** Of the pair: the sources of its adverts, master first. */
  readonly pair: readonly [string, string]
  readonly vip: string
  readonly advertIntervalMs: number
  /** Frames each second that are tried for. */
  readonly rate: number
  /** Interface of the flooding host. */
  readonly link: string
}

/** Priorities of the pairs that are flooded lie between these. */
export const lowerPriority = 50
export const higherPriority = 254

/** Starts the flood from that host; end it with `stop`. Resolves when frames are on their way. */
export async function startFlood(host: Host, flood: Flood): Promise<Child> {
  const args = [program('./flooder.js'), JSON.stringify(flood)]
  const child = host.spawn(process.execPath, args, { name: `${flood.kind} flood` })
  await child.line(/flooding/, 10_000)
  return child
}

/** The frames of one round. */
export function framesOf(flood: Flood): readonly Uint8Array[] {
  const make = makers[flood.kind]
  return Array.from({ length: rounds[flood.kind] ?? 64 }, (_, i) => make(flood, i))
}

const rounds: Partial<Record<FloodKind, number>> = {
  vrids: 254 * 40,
  garbage: 4_096,
  flapping: 2,
  intermittent: 1,
}

const makers: Readonly<Record<FloodKind, (flood: Flood, i: number) => Uint8Array>> = {
  invalid: (flood, i) => {
    if (i % 2 === 1) return advert(flood, { hops: 64 })
    const frame = advert(flood, {})
    const at = frame.length - flipFromEnd
    return frame.with(at, (frame[at] ?? 0) ^ 0x55)
  },
  lower: (flood) => advert(flood, {}),
  garbage: (flood, i) => {
    // The same garbage each time: now and then some of it is nearly an advert, and a test counts what is wrong with it.
    const next = seeded(i)
    const pdu = Uint8Array.from({ length: 8 + (i % 57) }, () => Math.floor(next() * 256))
    return packet(flood.family, stranger(flood.family, i % 200), 255, pdu)
  },
  flapping: (flood, i) => advert(flood, { priority: i % 2 === 0 ? higherPriority : 0 }),
  intermittent: (flood) => advert({ ...flood, advertIntervalMs: 10 }, { priority: higherPriority }),
  forged: (flood, i) =>
    advert(flood, { source: flood.pair[0], hops: 254, priority: (i * 4 + 255) % 256 }),
  replayed: (flood, i) =>
    advert(flood, { source: flood.pair[i % 2] ?? '', priority: lowerPriority - (i % 8) }),
  resignations: (flood) => advert(flood, { source: flood.pair[0], priority: 0 }),
  misshapen: (flood, i) => {
    const whole = advertPdu(flood, {})
    const source = stranger(flood.family, 0)
    const long = concatBytes([whole, new Uint8Array(1_400 - whole.length)])
    return packet(flood.family, source, 255, i % 2 === 0 ? long : whole.subarray(0, 1 + (i % 11)))
  },
  vrids: (flood, i) => {
    const other = 1 + (i % 254)
    const vrid = other < flood.vrid ? other : other + 1
    return advert({ ...flood, vrid }, { source: stranger(flood.family, Math.floor(i / 254)) })
  },
  passwords: (flood, i) =>
    advert(
      { ...flood, family: 4, version: 2 },
      { priority: higherPriority, password: Uint8Array.from({ length: 8 }, () => 65 + (i % 26)) },
    ),
}

/** An octet of the last address, so that the header stays what it is. */
const flipFromEnd = 1

/** A source that belongs to no host. */
const stranger = (family: Family, i: number): string =>
  family === 4 ? `172.16.80.${20 + (i % 200)}` : `fe80::bad:${i.toString(16)}`

type Variation = {
  readonly source?: string
  readonly hops?: number
  readonly priority?: number
  readonly password?: Uint8Array
}

function advert(flood: Flood, vary: Variation): Uint8Array {
  const { source = stranger(flood.family, 0), hops = 255 } = vary
  return packet(flood.family, source, hops, advertPdu(flood, vary))
}

function advertPdu(flood: Flood, vary: Variation): Uint8Array {
  const { source = stranger(flood.family, 0), priority = lowerPriority, password = null } = vary
  return encodeAdvert({
    version: flood.version,
    family: flood.family,
    vrid: flood.vrid,
    priority,
    intervalUs: millisecondsToUs(flood.advertIntervalMs),
    addresses: [ip(flood.vip)],
    password,
    source: ip(source),
    destination: ip(groups[flood.family]),
    checksumAsV2: false,
  })
}

const groups = { 4: '224.0.0.18', 6: 'ff02::12' }

function packet(family: Family, source: string, hops: number, payload: Uint8Array): Uint8Array {
  return family === 4 ? packet4(source, hops, payload) : packet6(source, hops, payload)
}

const attackerMac = [2, 0, 0, 0, 0, 0x66]

function packet4(source: string, ttl: number, payload: Uint8Array): Uint8Array {
  const header = Uint8Array.of(0x45, 0xc0, 0, 0, 0, 0, 0, 0, ttl, vrrpProtocol, 0, 0)
  const ipHeader = concatBytes([header, ipBytes(ip(source)), ipBytes(ip(groups[4]))])
  viewOf(ipHeader).setUint16(2, 20 + payload.length)
  viewOf(ipHeader).setUint16(10, checksum(ipHeader))
  const ether = Uint8Array.of(1, 0, 0x5e, 0, 0, 0x12, ...attackerMac, 8, 0)
  return concatBytes([ether, ipHeader, payload])
}

function packet6(source: string, hops: number, payload: Uint8Array): Uint8Array {
  const header = Uint8Array.of(0x6c, 0, 0, 0, 0, 0, vrrpProtocol, hops)
  viewOf(header).setUint16(4, payload.length)
  const ether = Uint8Array.of(0x33, 0x33, 0, 0, 0, 0x12, ...attackerMac, 0x86, 0xdd)
  return concatBytes([ether, header, ipBytes(ip(source)), ipBytes(ip(groups[6])), payload])
}

function ip(text: string): Ip {
  const parsed = parseIp(text)
  if (parsed === null) throw new Error(`not an address: ${text}`)
  return parsed
}
