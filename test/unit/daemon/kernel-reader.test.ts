/** Reading the kernel anew when the host is out of descriptors: what was known stays, and it is tried again. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { Kernel, type KernelChange } from '../../../src/daemon/kernel.ts'
import { KernelReader } from '../../../src/daemon/kernel-reader.ts'
import { encodeAddressReplace } from '../../../src/wire/rtnetlink.ts'
import { ifindex, SimKernel } from '../../sim/kernel.ts'
import { ip } from './facts.ts'

const source = ip('172.16.80.2')
const sourceHeld = { address: source, prefixLength: 24, peer: null }
const vip = ip('172.16.80.100')
const held = encodeAddressReplace({
  ifindex,
  address: vip,
  prefixLength: 32,
  peer: null,
  broadcast: null,
  label: null,
  scope: 0,
  home: false,
  nodad: false,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  preferredSeconds: null,
  validSeconds: null,
})

test('a dump that fails leaves the mirror as it was, is said once and is tried again', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const sim = new SimKernel(1, [source], () => undefined)
  const lines: string[] = []
  const later: KernelChange[] = []
  let refusedFrom = Number.POSITIVE_INFINITY
  let requests = 0
  const engine = {
    request: (bytes: Uint8Array) => {
      requests += 1
      if (requests >= refusedFrom) throw new OpError('socket', 'EMFILE')
      return sim.request(bytes)
    },
  }
  const kernel = new Kernel()
  const say = (line: string) => void lines.push(line)
  const log = { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
  const onChanges = (changes: readonly KernelChange[]) => later.push(...changes)
  const reader = new KernelReader({ kernel, engine, log, onChanges })
  reader.read()
  assert.equal(kernel.holds(ifindex, sourceHeld), true)

  sim.carryOut(held)
  // The links can still be read, the addresses cannot.
  refusedFrom = requests + 2
  assert.deepEqual(reader.read(), [])
  assert.deepEqual(
    [kernel.linkByName('eth0')?.ifindex, kernel.holds(ifindex, sourceHeld)],
    [ifindex, true],
  )
  for (let i = 0; i < 5; i++) mock.timers.tick(1_000)
  assert.equal(lines.filter((line) => line.includes('EMFILE')).length, 1)
  assert.deepEqual(later, [])

  refusedFrom = Number.POSITIVE_INFINITY
  mock.timers.tick(10_000)
  const vipHeld = { ifindex, address: vip, prefixLength: 32, peer: null }
  const added = { ...vipHeld, secondary: false, tentative: false, protocol: 112, ours: true }
  assert.deepEqual(later, [{ kind: 'address', held: added, present: true, foreign: false }])
  const done = requests
  mock.timers.tick(100_000)
  assert.equal(requests, done, 'read once')
})
