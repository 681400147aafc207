/** Started by callback.test.ts: JavaScript that throws where C++ calls it. It ends within the minute whatever happens. */

import { bindings } from '../../src/addon/bindings.ts'
import { us } from '../../src/base/time.ts'
import { startEngine } from '../../src/engine/native.ts'
import { startProgram } from '../../src/programs/start.ts'

setTimeout(() => process.exit(70), 60_000)

function bug(): never {
  throw new TypeError('a bug in a callback')
}

switch (process.argv[2]) {
  case 'engine': {
    const options = { realtimePriority: 0, rttimeUs: 0, lockMemory: false, livenessUs: us(0) }
    const { engine } = startEngine(options, bug)
    const spec = { family: 4, interface: 'lo', ifindex: 1, group: null, ttl: null } as const
    const source = '127.0.0.1' as Parameters<typeof engine.openLink>[0]['source']
    const filter = new Uint8Array()
    const link = engine.openLink({
      ...spec,
      source,
      filter,
      receiveOnAny: false,
      receiveBufferBytes: null,
    })
    engine.addSlot(1, link, 1)
    // Refused by the kernel, which is an event.
    const step = { kind: 'frame', ifindex: 9_999, bytes: new Uint8Array(60) } as const
    engine.order([{ slot: 1, generation: 1, order: { kind: 'idle', now: [step] } }])
    break
  }
  case 'programs':
    startProgram({ file: '/bin/true', args: [], output: null, runAs: null, noNewPrivs: false }, bug)
    break
  case 'connections': {
    const set = bindings().openDial(bug)
    bindings().dial(set.fd, Uint8Array.of(127, 0, 0, 1), 1)
    break
  }
}
