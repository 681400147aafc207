/** What the kernel would drop is read and counted while it is little; of a flood only the first packets are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '../../src/engine/order.ts'
import { passAllFilter, vrrpFilter } from '../../src/wire/bpf.ts'
import {
  engine,
  events,
  follow,
  groups,
  newSlot,
  next,
  order,
  peer,
  peerIfindex,
  spec,
  theirs,
  until,
} from './lan.ts'

const pdu = (vrid: number, priority: number): Uint8Array =>
  Uint8Array.of(0x31, vrid, priority, 0, 0, 100, 0, 0)

/** The peer's link with that TTL, and how it sends over it. */
async function sender(slot: number, ttl: number) {
  const there = { interface: 'vb', ifindex: peerIfindex }
  const link = await peer.call('openLink', { ...spec({ source: theirs[4], ttl }), ...there })
  await peer.call('addSlot', slot, link, 250)
  let generation = 0
  return async (payloads: readonly Uint8Array[]) => {
    const now: Plan = payloads.map((bytes) => ({ kind: 'datagram', link, to: groups[4], bytes }))
    generation += 1
    await peer.call('order', [{ slot, generation, order: { kind: 'idle', now } }])
  }
}

test('a wrong TTL is raised and an unknown VRID told once, until there are too many', async () => {
  const filter = vrrpFilter({ family: 4, vrids: [71], multicast: true })
  const link = engine.openLink(spec({ filter, openFilter: passAllFilter() }))
  const slot = newSlot()
  engine.addSlot(slot, link, 71)
  order(slot, follow({}))
  await engine.flush()
  events.length = 0
  const distant = await sender(newSlot(), 254)
  const near = await sender(newSlot(), 255)

  await distant([pdu(71, 200)])
  const heard = await next('packet', slot)
  assert.deepEqual([heard.ttl, heard.payload], [254, pdu(71, 200)])

  await near([pdu(77, 1), pdu(77, 2), pdu(78, 1)])
  await until(() => engine.linkCounters(link).unclaimed >= 3)
  await engine.flush()
  assert.deepEqual(
    events.flatMap((e) => (e.kind === 'stranger' ? [[e.link, e.vrid, e.from]] : [])),
    [
      [link, 77, theirs[4]],
      [link, 78, theirs[4]],
    ],
  )

  // A socket that is full of the flood loses this one too: it is sent until it is heard.
  const heardAtLast = async (priority: number) => {
    const isHeard = () => events.some((e) => e.kind === 'packet' && e.payload[2] === priority)
    await until(async () => {
      if (!isHeard()) await near([pdu(71, priority)])
      await engine.flush()
      return isHeard()
    })
  }
  const wave = Array.from({ length: 500 }, (_, i) => pdu(79, i % 256))
  // The gate shuts within the first of them; what lies in the socket by then is still read.
  await near(wave)
  await near(wave)
  await heardAtLast(99)
  const counted = engine.linkCounters(link).unclaimed
  assert.ok(counted >= 50, `${counted} of a flood's first packets`)
  await near(wave)
  await heardAtLast(98)
  assert.equal(engine.linkCounters(link).unclaimed, counted, 'the kernel drops the rest')

  engine.setFilter(link, vrrpFilter({ family: 4, vrids: [71, 79], multicast: true }))
  await near([pdu(79, 1), pdu(80, 1), pdu(71, 97)])
  await until(() => events.some((e) => e.kind === 'packet' && e.payload[2] === 97))
  assert.equal(
    engine.linkCounters(link).unclaimed,
    counted + 1,
    'a changed filter counts while shut',
  )
  engine.removeSlot(slot)
  engine.closeLink(link)
})
