/** What the thread hears of frames that an engine sends by one end of a veth pair: see frames.test.ts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Ip, ipFromBytes } from '../../src/base/ip.ts'
import { framesPolicy, openFrames } from '../../src/engine/frames.ts'
import type { FrameWatchSpec, HeardFrame } from '../../src/engine/frames-contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import { until } from '../../src/lab/wait.ts'
import { dropAllFilter } from '../../src/wire/bpf.ts'
import {
  arpClaimFilter,
  claimKeys,
  ndClaimFilter,
  sentClaimFilter,
} from '../../src/wire/bpf-claims.ts'
import { decodeClaim, etherTypes } from '../../src/wire/claim.ts'
import { arpFrame, ndFrame, noIp, zeroIp } from '../unit/wire/claim-frames.ts'
import { ip, quiet } from './remote.ts'

const soonMs = 20_000
const mac = '02:00:00:00:00:09'
const four = (n: number): Ip => ipFromBytes(Uint8Array.of(10, 9, n >> 8, n & 255))
const six = (n: number): Ip =>
  ipFromBytes(Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n >> 8, n & 255))

const heard: HeardFrame[] = []
const frames = openFrames((all) => heard.push(...all))
const { engine } = startEngine(quiet, () => undefined)
let generation = 0
let lastWatch = 0
let [va, vb] = [0, 0]

const indexOf = (name: string): number =>
  Number(ip('-o', 'link', 'show', 'dev', name).split(':')[0])

before(async () => {
  ip('link', 'set', 'dev', 'lo', 'up')
  ip('link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  for (const end of ['va', 'vb']) {
    ip('link', 'set', 'dev', end, 'addrgenmode', 'none')
    ip('link', 'set', 'dev', end, 'up')
  }
  ;[va, vb] = [indexOf('va'), indexOf('vb')]
  await until('the link is up', soonMs, () => ip('link', 'show', 'dev', 'vb').includes('state UP'))
  const lo = {
    family: 4,
    interface: 'lo',
    ifindex: 1,
    source: ipFromBytes(Uint8Array.of(127, 0, 0, 1)),
  } as const
  const receiving = { filter: dropAllFilter(), receiveOnAny: false, receiveBufferBytes: null }
  engine.addSlot(1, engine.openLink({ ...lo, ...receiving, group: null, ttl: null }), 1)
})

after(() => {
  frames.stop()
  engine.stop()
})

/** By va, in this order. */
async function send(all: readonly Uint8Array[]): Promise<void> {
  generation += 1
  const now = all.map((bytes) => ({ kind: 'frame' as const, ifindex: va, bytes }))
  engine.order([{ slot: 1, generation, order: { kind: 'idle', now } }])
  await engine.flush()
}

function open(
  spec: Omit<FrameWatchSpec, 'watch' | 'keyAt' | 'keyOctets' | 'protocol'>,
  family: 4 | 6,
): number {
  lastWatch += 1
  frames.open({ watch: lastWatch, protocol: etherTypes[family], ...claimKeys[family], ...spec })
  return lastWatch
}

const of = (watch: number): readonly HeardFrame[] => heard.filter((it) => it.watch === watch)
const request = (sender: Ip, target = zeroIp): Uint8Array =>
  arpFrame({ operation: 1, mac, sender, target })

/** The thread has read what was sent before: this came later. */
async function readUpTo(watches: readonly number[], last: Ip): Promise<void> {
  await send([request(last)])
  await until('the last frame is heard', soonMs, () =>
    watches.every((watch) => of(watch).some(({ bytes }) => saidBy(bytes) === last)),
  )
}
const saidBy = (bytes: Uint8Array): Ip | null => {
  const claim = decodeClaim(4, bytes)
  return claim.ok ? claim.value.address : null
}

test('what leaves by an interface, and what arrives on the other one; neither hears the other way', async () => {
  const [vip, last] = [four(1), four(2)]
  const received = (ifindex: number) =>
    open({ ifindex, direction: 'received', filter: arpClaimFilter(ifindex, [vip, last]) }, 4)
  const sent = (ifindex: number) =>
    open({ ifindex, direction: 'sent', filter: sentClaimFilter(4, [vip, last]) }, 4)
  const [inA, inB, outA, outB] = [received(va), received(vb), sent(va), sent(vb)]
  const to = ip('-o', 'link', 'show', 'dev', 'vb').match(/ether (\S+)/)?.[1] ?? ''
  const alone = arpFrame({ operation: 1, mac, sender: vip, target: four(9), to })
  await send([request(vip), request(four(7)), alone])
  await readUpTo([inB, outA], last)
  const said = (watch: number) => of(watch).map(({ bytes }) => Buffer.from(bytes).toString('hex'))
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  assert.deepEqual(said(inB), [request(vip), alone, request(last)].map(hex))
  assert.deepEqual(said(outA), [request(vip), request(last)].map(hex), 'for a group')
  assert.deepEqual([said(inA), said(outB)], [[], []])
  for (const watch of [inA, inB, outA, outB]) frames.close(watch)
})

test('the kernel lets through what the decoder takes for a claim of these addresses, of both families', async () => {
  // No more than a program parts, and of each kind as many.
  const ours = Array.from({ length: 90 }, (_, i) => i * 7)
  const all = Array.from({ length: 900 }, (_, i) => i)
  const last = four(60_000)
  const inFour = open(
    { ifindex: vb, direction: 'received', filter: arpClaimFilter(vb, [...ours.map(four), last]) },
    4,
  )
  const inSix = open(
    { ifindex: vb, direction: 'received', filter: ndClaimFilter(vb, ours.map(six)) },
    6,
  )
  const kinds = [
    (n: number) => request(four(n), four(7)),
    (n: number) => request(zeroIp, four(n)),
    (n: number) => arpFrame({ operation: 2, mac, sender: four(n), target: four(7) }),
    (n: number) => arpFrame({ operation: 2, mac, sender: four(50_000), target: four(n) }),
    (n: number) => ndFrame({ type: 'advertisement', mac, source: six(7), target: six(n) }),
    (n: number) => ndFrame({ type: 'solicitation', mac, source: noIp, target: six(n) }),
    (n: number) => ndFrame({ type: 'solicitation', mac, source: six(n), target: six(10_000 + n) }),
    (n: number) => ndFrame({ type: 'solicitation', mac, source: six(50_000), target: six(n) }),
    (n: number) => request(four(n), four(7)).with(15, 6),
    (n: number) =>
      ndFrame({ type: 'advertisement', mac, source: six(7), target: six(n) }).with(21, 64),
  ]
  const sent = all.map((n) => kinds[n % kinds.length]?.(n) ?? new Uint8Array())
  const wanted = new Set([...ours.map(four), ...ours.map(six)])
  const claims = sent.filter((frame) =>
    ([4, 6] as const).some((family) => {
      const claim = decodeClaim(family, frame)
      return claim.ok && wanted.has(claim.value.address)
    }),
  )
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  // The socket has room for so many, and the thread rests between its turns.
  for (let i = 0; i < sent.length; i += 30) {
    await send(sent.slice(i, i + 30))
    const due = claims.filter((frame) => sent.indexOf(frame) < i + 30).map(hex)
    await until(`${due.length} are read`, soonMs, () => {
      const read = new Set([...of(inFour), ...of(inSix)].map(({ bytes }) => hex(bytes)))
      return due.every((frame) => read.has(frame))
    })
  }
  await readUpTo([inFour], last)
  const said = [...of(inFour), ...of(inSix)].map(({ bytes }) => hex(bytes))
  const expected = claims.map(hex)
  assert.deepEqual(said.filter((it) => !it.includes('0a09ea60')).sort(), expected.sort())
  assert.ok(expected.length > 50, `${expected.length}`)
  frames.close(inFour)
  frames.close(inSix)
})

test('frames of other VLANs of a trunk are not heard, and a priority is no VLAN', async () => {
  const [vip, vip6, last] = [four(1), six(1), four(2)]
  const inFour = open(
    { ifindex: vb, direction: 'received', filter: arpClaimFilter(vb, [vip, last]) },
    4,
  )
  const inSix = open({ ifindex: vb, direction: 'received', filter: ndClaimFilter(vb, [vip6]) }, 6)
  const advertised = ndFrame({ type: 'advertisement', mac, source: six(7), target: vip6 })
  const tagged = (frame: Uint8Array, tag: number): Uint8Array =>
    Uint8Array.of(...frame.subarray(0, 12), 0x81, 0x00, tag >> 8, tag & 255, ...frame.subarray(12))
  const both = [request(vip), advertised]
  await send([0xe000, 0xe064, 100].flatMap((tag) => both.map((it) => tagged(it, tag))))
  await readUpTo([inFour], last)
  assert.deepEqual([of(inFour).length, of(inSix).length], [2, 1])
  for (const watch of [inFour, inSix]) frames.close(watch)
})

test('a flood of one address: few are told, and how many there were', async () => {
  const [vip, last] = [four(1), four(2)]
  const watch = open(
    { ifindex: vb, direction: 'received', filter: arpClaimFilter(vb, [vip, last]) },
    4,
  )
  const sinceMs = performance.now()
  for (let i = 0; i < 10; i++) await send(Array.from({ length: 500 }, () => request(vip)))
  await until('the last one is told', soonMs, async () => {
    await send([request(last)])
    return of(watch).some(({ bytes }) => saidBy(bytes) === last)
  })
  const told = of(watch).filter(({ bytes }) => saidBy(bytes) === vip)
  const { key } = framesPolicy
  const most = key.burst + Math.ceil(((performance.now() - sinceMs) * 1_000) / key.everyUs)
  assert.ok(told.length >= 1 && told.length <= most, `${told.length} of ${most}`)
  const counters = frames.counters(watch)
  assert.ok(counters.heard >= counters.told && counters.heard <= 5_000 + 200)
  assert.ok(told.reduce((all, { count }) => all + count, 0) <= counters.heard)
  frames.close(watch)
})

test('opened, altered and closed while frames come; the interface goes', async () => {
  const vip = four(1)
  for (let i = 0; i < 100; i++) {
    const filter = arpClaimFilter(vb, [vip, four(i)])
    const watch = open(
      { ifindex: i % 2 === 0 ? va : vb, direction: i % 3 === 0 ? 'sent' : 'received', filter },
      4,
    )
    await send(Array.from({ length: 20 }, () => request(vip)))
    frames.setFilter(watch, arpClaimFilter(vb, [four(i)]))
    if (i % 10 !== 9) frames.close(watch)
  }
  const watch = open({ ifindex: vb, direction: 'received', filter: arpClaimFilter(vb, [vip]) }, 4)
  ip('link', 'del', 'dev', 'va')
  frames.setFilter(watch, arpClaimFilter(vb, [four(3)]))
  assert.throws(
    () => open({ ifindex: vb, direction: 'received', filter: arpClaimFilter(vb, [vip]) }, 4),
    /ENODEV/,
  )
  frames.close(watch)
  frames.stop()
  frames.stop()
})
