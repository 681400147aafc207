/**
 * The kernel holds a request for long, as it does when another program holds the rtnl lock: cases of engine.test.ts. The
 * request that takes long deletes a group of interfaces, so how long it takes is known to be the kernel's time.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { concatBytes } from '../../src/base/bytes.ts'
import type { Plan } from '../../src/engine/order.ts'
import { encodeAttribute, encodeMessage, u32 } from '../../src/wire/netlink.ts'
import { decodeMessages } from '../../src/wire/rtnetlink.ts'
import { encodeAddressDump } from '../../src/wire/rtnetlink-address.ts'
import {
  add,
  carryOut,
  engine,
  events,
  groups,
  held,
  leadWith,
  newSlot,
  order,
  remove,
  repeat,
  request,
  spec,
  vip,
} from './lan.ts'

const group = 4_711
const everyMs = 5
/** RTM_DELLINK of a group: family, type, index, flags and mask are zero. */
const deleteGroup: Plan = [
  {
    kind: 'netlink',
    bytes: encodeMessage(17, 1, concatBytes([new Uint8Array(16), encodeAttribute(27, u32(group))])),
    tolerate: [],
  },
]

/** A plan that keeps the kernel busy, and how long it is meant to. */
function makeGroup(pairs: number): void {
  const lines = Array.from({ length: pairs }, (_, i) => {
    const more = `group ${group}`
    return `link add name x${i} ${more} type veth peer name y${i} ${more}`
  })
  execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') })
}

function leading(): { readonly slot: number; readonly stop: () => Promise<void> } {
  const link = engine.openLink(spec({ receiveBufferBytes: null }))
  const slot = newSlot()
  engine.addSlot(slot, link, 201)
  const bytes = Uint8Array.of(0x21, 201)
  const advert: Plan = [{ kind: 'datagram', link, to: groups[4], bytes }]
  order(slot, leadWith(advert, { repeats: [repeat(advert, everyMs)] }))
  const stop = async () => {
    order(slot, { kind: 'idle', now: [] })
    await engine.flush()
    engine.removeSlot(slot)
    engine.closeLink(link)
  }
  return { slot, stop }
}

test('adverts go out while the kernel keeps a request waiting, and a dump', async () => {
  const { slot, stop } = leading()
  const sent = () => engine.counters(slot).sent
  for (let pairs = 250; ; pairs *= 2) {
    makeGroup(pairs)
    const began = performance.now()
    order(slot, { kind: 'once', now: deleteGroup })
    let done = false
    const all = Promise.all([engine.flush(), request(encodeAddressDump())]).then(([, dump]) => {
      done = true
      return dump
    })
    // Those that leave within this turn may do so before the engine has looked at the order.
    await turn()
    const before = sent()
    let last = before
    while (!done) {
      last = sent()
      await turn()
    }
    assert.ok(decodeMessages(await all).some((message) => message.kind === 'newaddr'))
    const tookMs = performance.now() - began
    // Too short to tell anything, on a busy machine above all: more of it. None goes while the engine waits, however long.
    if ((tookMs < 20 * everyMs || last - before < 2) && pairs < 4_000) continue
    assert.ok(last - before >= 2, `${last - before} adverts in ${tookMs.toFixed(0)} ms`)
    break
  }
  await stop()
})

test('what waits for a lead is discarded when it resigns, but what takes away is carried out', async () => {
  const nowhere = { ifindex: 99_999 }
  const gone = vip('10.9.7.77')
  await carryOut(add(gone))
  const { slot, stop } = leading()
  makeGroup(500)
  events.length = 0
  order(slot, { kind: 'once', now: deleteGroup })
  // Carried out, these would fail and say so.
  const frame = { kind: 'frame', ...nowhere, bytes: new Uint8Array(60) } as const
  order(slot, { kind: 'once', now: [...add(vip('10.9.7.78', nowhere)), frame, ...remove(gone)] })
  order(slot, { kind: 'idle', now: [] })
  await engine.flush()
  assert.deepEqual(
    events.filter((event) => event.kind === 'failed'),
    [],
  )
  assert.equal(held().includes(gone.address), false)
  await stop()
})

test('a lead that replaces a lead discards nothing, and neither does a slot that moves', async () => {
  const [one, two] = [vip('10.9.7.81'), vip('10.9.7.82')]
  const { slot, stop } = leading()
  makeGroup(500)
  order(slot, { kind: 'once', now: deleteGroup })
  order(slot, { kind: 'once', now: add(one) })
  order(slot, leadWith([]))
  order(slot, { kind: 'once', now: add(two) })
  engine.removeSlot(slot)
  const link = engine.openLink(spec({ receiveBufferBytes: null }))
  engine.addSlot(slot, link, 202)
  await engine.flush()
  const now = held()
  assert.deepEqual([now.includes(one.address), now.includes(two.address)], [true, true])
  await carryOut([...remove(one), ...remove(two)])
  await stop()
})

test('an address that a resigned lead was setting meanwhile is taken away behind it', async () => {
  const late = vip('10.9.7.90')
  const { slot, stop } = leading()
  for (let round = 0; round < 50; round++) {
    order(slot, leadWith(add(late), { resign: remove(late) }))
    if (round % 3 > 0) await turn()
    order(slot, { kind: 'idle', now: remove(late) })
  }
  await engine.flush()
  assert.equal(held().includes(late.address), false)
  await stop()
})
