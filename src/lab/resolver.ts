/**
 * Runs inside the client's host: asks who has an address, by ARP or neighbour solicitation, every few milliseconds. The
 * engine does it, as a repeat. `resolver.js LINK MAC OWN ADDRESS EVERY_MS`
 */
import { execFileSync } from 'node:child_process'
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Ip, ipBytes, ipFromBytes, parseIp } from '../base/ip.ts'
import { us } from '../base/time.ts'
import { checksum, pseudoHeaderSum } from '../wire/checksum.ts'
import { sendFrames } from './frame-sender.ts'

const [, , device = '', macText = '', ownText = '', text = '', everyMs = '5'] = process.argv
const own = parseIp(ownText)
const address = parseIp(text)
if (own === null || address === null) throw new Error('no such address')
const mac = Uint8Array.from(macText.split(':'), (octet) => Number.parseInt(octet, 16))

const arpRequest = (from: Ip, target: Ip): Uint8Array =>
  concatBytes([
    new Uint8Array(6).fill(0xff),
    mac,
    Uint8Array.of(0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1),
    mac,
    ipBytes(from),
    new Uint8Array(6),
    ipBytes(target),
  ])

/** RFC 4861 section 4.3, to the solicited-node address (RFC 4291 section 2.7.1). */
function solicitation(from: Ip, target: Ip): Uint8Array {
  const low = ipBytes(target).subarray(13)
  const group = concatBytes([Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff), low])
  const icmp = concatBytes([
    Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0),
    ipBytes(target),
    Uint8Array.of(1, 1),
    mac,
  ])
  const sum = pseudoHeaderSum(from, ipFromBytes(group), 58, icmp.length)
  viewOf(icmp).setUint16(2, checksum(icmp, sum))
  return concatBytes([
    Uint8Array.of(0x33, 0x33, 0xff),
    low,
    mac,
    Uint8Array.of(0x86, 0xdd, 0x60, 0, 0, 0, 0, icmp.length, 58, 255),
    ipBytes(from),
    group,
    icmp,
  ])
}

const [link] = JSON.parse(
  execFileSync('ip', ['-j', 'link', 'show', device], { encoding: 'utf8' }),
) as readonly { readonly ifindex: number }[]
if (link === undefined) throw new Error(`no interface ${device}`)
const bytes = address.includes(':') ? solicitation(own, address) : arpRequest(own, address)

const everyUs = us(Number(everyMs) * 1_000)
const plan = [{ kind: 'frame' as const, ifindex: link.ifindex, bytes }]
const stop = sendFrames([{ key: 'ask', firstAfterUs: everyUs, everyUs, plan }])
process.stdout.write('asking\n')
process.once('SIGTERM', stop)
