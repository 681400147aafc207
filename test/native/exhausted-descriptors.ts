/** Started by reserve.test.ts: uses up its descriptors, then opens a link and starts a warden. */
import { openSync } from 'node:fs'
import { us } from '../../src/base/time.ts'
import { startEngine } from '../../src/engine/native.ts'

const options = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const { engine, guard } = startEngine(options, () => undefined)
let last = ''
while (last === '')
  try {
    openSync('/dev/null', 'r')
  } catch (error) {
    last = (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
const spec = {
  family: 4,
  interface: 'lo',
  ifindex: 1,
  group: null,
  ttl: null,
  receiveOnAny: false,
} as const
const source = '127.0.0.1' as Parameters<typeof engine.openLink>[0]['source']
engine.openLink({ ...spec, source, filter: new Uint8Array(), receiveBufferBytes: null })
guard.startWarden('', 'text')
await engine.flush()
process.stdout.write(`${last}: a link and a warden\n`)
engine.stop()
