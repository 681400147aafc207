/** Frames that an engine repeats, for the programs of the lab that are to be on time: on its own thread, until it is stopped. */
import { parseIp } from '../base/ip.ts'
import { us } from '../base/time.ts'
import { startEngine } from '../engine/native.ts'
import type { Repeat } from '../engine/order.ts'
import { dropAllFilter } from '../wire/bpf.ts'

/** Longer than any run. */
const never = us(2 ** 50)

/** Their plans are frames alone. What it returns stops it. */
export function sendFrames(repeats: readonly Repeat[]): () => void {
  const loopback = parseIp('127.0.0.1')
  if (loopback === null) throw new Error('no loopback address')
  const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
  const { engine } = startEngine(options, () => undefined)
  // An order needs a slot, and a slot a link: nothing is sent or heard on this one.
  const link = engine.openLink({
    family: 4,
    interface: 'lo',
    ifindex: 1,
    source: loopback,
    group: null,
    ttl: null,
    filter: dropAllFilter(),
    receiveOnAny: false,
    receiveBufferBytes: null,
  })
  engine.addSlot(1, link, 1)
  const lead = { now: [], repeats, resign: [], lateUs: never, wardenLateUs: never }
  engine.order([{ slot: 1, generation: 1, order: { kind: 'lead', ...lead } }])
  return () => engine.stop()
}
