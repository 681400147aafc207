/** Frames that no daemon under test would send, and how a host of the lab sends them. */

import assert from 'node:assert/strict'
import { concatBytes, toHex, viewOf } from '../../src/base/bytes.ts'
import { type Ip, ipBytes, ipFamily, parseIp } from '../../src/base/ip.ts'
import type { Host } from '../../src/lab/host.ts'
import { program } from '../../src/lab/program.ts'
import { checksum, pseudoHeaderSum } from '../../src/wire/checksum.ts'
import { fromHex } from '../hex.ts'

/** An address as a test writes it. */
export function ip(text: string): Ip {
  const parsed = parseIp(text)
  assert(parsed !== null, text)
  return parsed
}

const injector = program('../../test/e2e/inject.js')

/** Sends the frames from that interface of the host, in order; resolves when the kernel has taken them. */
export async function inject(
  host: Host,
  link: string,
  frames: readonly Uint8Array[],
): Promise<void> {
  const shown = await host.must('ip', ['-o', 'link', 'show', link])
  await host.must(process.execPath, [injector, String(parseInt(shown, 10)), ...frames.map(toHex)])
}

export type IpSpec = {
  readonly source: Ip
  readonly destination: Ip
  readonly protocol: number
  /** TTL or hop limit; 255 unless said otherwise. */
  readonly hops?: number
}

/** An IP packet in an Ethernet frame from `mac` to the destination's multicast (or the broadcast) address. */
export function frameOf(mac: string, spec: IpSpec, payload: Uint8Array): Uint8Array {
  const { source, destination, protocol, hops = 255 } = spec
  const [from, to] = [ipBytes(source), ipBytes(destination)]
  if (ipFamily(source) === 6) {
    const length = Uint8Array.of(payload.length >> 8, payload.length & 0xff, protocol, hops)
    const head = concatBytes([Uint8Array.of(0x60, 0, 0, 0), length, from, to])
    const group = concatBytes([Uint8Array.of(0x33, 0x33), to.subarray(12)])
    return concatBytes([group, fromHex(mac), Uint8Array.of(0x86, 0xdd), head, payload])
  }
  const total = 20 + payload.length
  const fixed = Uint8Array.of(
    0x45,
    0xc0,
    total >> 8,
    total & 0xff,
    0,
    0,
    0,
    0,
    hops,
    protocol,
    0,
    0,
  )
  const head = concatBytes([fixed, from, to])
  viewOf(head).setUint16(10, checksum(head))
  const everyone = new Uint8Array(6).fill(0xff)
  return concatBytes([everyone, fromHex(mac), Uint8Array.of(8, 0), head, payload])
}

/** A router advertisement (RFC 4861 section 4.2) to all nodes: a default router for half an hour. */
export function routerAdvertisement(mac: string, source: Ip, allNodes: Ip): Uint8Array {
  const option = concatBytes([Uint8Array.of(1, 1), fromHex(mac)])
  const fixed = Uint8Array.of(134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0)
  const icmp = concatBytes([fixed, option])
  assert.equal(icmp.length, 24)
  viewOf(icmp).setUint16(2, checksum(icmp, pseudoHeaderSum(source, allNodes, 58, icmp.length)))
  return frameOf(mac, { source, destination: allNodes, protocol: 58 }, icmp)
}
