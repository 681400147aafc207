/**
 * Runs inside a host of the lab: puts the given Ethernet frames (hex) on an interface, once each, in order.
 * `inject.js IFINDEX FRAME…`
 */

import { parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import { startEngine } from '../../src/engine/native.ts'
import { dropAllFilter } from '../../src/wire/bpf.ts'
import { fromHex } from '../hex.ts'

const [ifindex = '', ...frames] = process.argv.slice(2)
const source = parseIp('127.0.0.1')
if (source === null) throw new Error('unreachable')
const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const { engine } = startEngine(options, (events) => {
  for (const event of events) if (event.kind === 'failed') process.exitCode = 1
})
const lo = { family: 4, interface: 'lo', ifindex: 1, source, group: null, ttl: null } as const
const link = engine.openLink({
  ...lo,
  filter: dropAllFilter(),
  receiveOnAny: false,
  receiveBufferBytes: null,
})
engine.addSlot(1, link, 1)
const now = frames.map((hex) => ({
  kind: 'frame' as const,
  ifindex: Number(ifindex),
  bytes: fromHex(hex),
}))
engine.order([{ slot: 1, generation: 1, order: { kind: 'idle', now } }])
await engine.flush()
engine.stop()
