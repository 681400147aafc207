/**
 * Runs inside a host: for each line `ADDRESS MS` on standard input, sends small UDP datagrams to that address for so long, as
 * frames to one MAC address, and writes how many nanoseconds of processor time each took. What the kernels on their way do
 * with them counts too: over veth pairs all of it is done in the sender's name. `lease-sender.js LINK MAC-OF-THE-HOST OWN-MAC OWN`
 */
import { execFileSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { concatBytes, viewOf } from '../src/base/bytes.ts'
import { ipBytes, parseIp } from '../src/base/ip.ts'
import { us } from '../src/base/time.ts'
import { startEngine } from '../src/engine/native.ts'
import { dropAllFilter } from '../src/wire/bpf.ts'
import { checksum } from '../src/wire/checksum.ts'

/** A datagram of 18 octets makes the shortest frame. */
const payloadBytes = 18
/** Seldom enough that waking up is a small part of it. */
const burst = { frames: 512, everyUs: us(4_000) }
const settleMs = 30

const [, , device = '', hostMac = '', ownMac = '', ownText = ''] = process.argv
const octets = (mac: string) =>
  Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16))
const ip = (text: string) => {
  const found = parseIp(text)
  if (found === null) throw new Error(`no address: ${text}`)
  return found
}

function frameTo(address: string): Uint8Array {
  const header = concatBytes([
    Uint8Array.of(0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0),
    ipBytes(ip(ownText)),
    ipBytes(ip(address)),
  ])
  viewOf(header).setUint16(2, header.length + 8 + payloadBytes)
  viewOf(header).setUint16(10, checksum(header))
  // The discard port, and no checksum.
  const udp = Uint8Array.of(0xc0, 0, 0, 9, 0, 8 + payloadBytes, 0, 0)
  const ether = concatBytes([octets(hostMac), octets(ownMac), Uint8Array.of(8, 0)])
  return concatBytes([ether, header, udp, new Uint8Array(payloadBytes)])
}

type Link = {
  readonly ifindex: number
  readonly stats64: { readonly tx: { readonly packets: number } }
}

function look(): Link {
  const answer = execFileSync('ip', ['-j', '-s', 'link', 'show', device], { encoding: 'utf8' })
  const [link] = JSON.parse(answer) as readonly Link[]
  if (link === undefined) throw new Error(`no interface ${device}`)
  return link
}
const { ifindex } = look()
const sent = () => look().stats64.tx.packets
const processorUs = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const { engine } = startEngine(options, () => undefined)
const link = engine.openLink({
  ...{ family: 4, interface: 'lo', ifindex: 1, source: ip('127.0.0.1'), group: null, ttl: null },
  ...{ filter: dropAllFilter(), receiveOnAny: false, receiveBufferBytes: null },
})
engine.addSlot(1, link, 1)
let generation = 0

async function send(address: string, forMs: number): Promise<number> {
  const bytes = frameTo(address)
  const plan = Array.from({ length: burst.frames }, () => ({
    kind: 'frame' as const,
    ...{ ifindex, bytes },
  }))
  const { everyUs } = burst
  const never = us(2 ** 50)
  const lead = {
    ...{ kind: 'lead' as const, now: [], resign: [], lateUs: never, wardenLateUs: never },
    repeats: [{ key: address, firstAfterUs: everyUs, everyUs, plan }],
  }
  engine.order([{ slot: 1, generation: ++generation, order: lead }])
  await delay(settleMs)
  const fromSent = sent()
  const fromUs = processorUs()
  await delay(forMs)
  const spentUs = processorUs() - fromUs
  const nanoseconds = (spentUs * 1_000) / (sent() - fromSent)
  engine.order([{ slot: 1, generation: ++generation, order: { kind: 'idle', now: [] } }])
  await delay(settleMs)
  return nanoseconds
}

let before = Promise.resolve()
createInterface({ input: process.stdin }).on('line', (line) => {
  const [address = '', ms = ''] = line.split(' ')
  before = before.then(async () => {
    process.stdout.write(`${address} ${(await send(address, Number(ms))).toFixed(1)}\n`)
  })
})
process.stdin.once('end', () => void before.then(() => engine.stop()))
process.stdout.write('ready\n')
