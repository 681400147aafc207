/**
 * Runs inside a host of the lab: answers every ARP request with its own MAC address, probes and announcements too, as a
 * router with local proxy ARP does. `arp-router.js IFINDEX MAC`
 */

import { concatBytes } from '../../src/base/bytes.ts'
import { ipBytes, parseIp } from '../../src/base/ip.ts'
import { macOctets } from '../../src/base/mac.ts'
import { us } from '../../src/base/time.ts'
import { openFrames } from '../../src/engine/frames.ts'
import { startEngine } from '../../src/engine/native.ts'
import { decodeArp } from '../../src/wire/arp.ts'
import { dropAllFilter, passAllFilter } from '../../src/wire/bpf.ts'
import { claimKeys } from '../../src/wire/bpf-claims.ts'
import { etherTypes } from '../../src/wire/claim.ts'

const [index = '', mac = ''] = process.argv.slice(2)
const ifindex = Number(index)
const source = parseIp('127.0.0.1')
if (source === null) throw new Error('unreachable')
const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const { engine } = startEngine(options, () => undefined)
const lo = { family: 4, interface: 'lo', ifindex: 1, source, group: null, ttl: null } as const
const link = engine.openLink({
  ...lo,
  filter: dropAllFilter(),
  receiveOnAny: false,
  receiveBufferBytes: null,
})
engine.addSlot(1, link, 1)
let generation = 0

function answer(request: Uint8Array): void {
  const decoded = decodeArp(request)
  if (!decoded.ok || decoded.value.operation !== 'request') return
  const { senderMac, sender, target } = decoded.value
  const bytes = concatBytes([
    senderMac,
    macOctets(mac),
    Uint8Array.of(8, 6, 0, 1, 8, 0, 6, 4, 0, 2),
    macOctets(mac),
    ipBytes(target),
    senderMac,
    ipBytes(sender),
  ])
  generation += 1
  const now = [{ kind: 'frame', ifindex, bytes }] as const
  engine.order([{ slot: 1, generation, order: { kind: 'idle', now } }])
}

const frames = openFrames((heard) => {
  for (const { bytes } of heard) answer(bytes)
})
const watch = { watch: 1, ifindex, direction: 'received', protocol: etherTypes[4] } as const
frames.open({ ...watch, filter: passAllFilter(), ...claimKeys[4] })
// The thread of the frames does not keep the process.
setInterval(() => undefined, 60_000)
process.stdout.write('ready\n')
