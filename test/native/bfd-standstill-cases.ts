/** What BFD asks of its thread: it answers while the main thread stands still, judges by the time of arrival, counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { us } from '../../src/base/time.ts'
import type { BfdEngineEvent } from '../../src/engine/bfd-contract.ts'
import {
  engine,
  host,
  Neighbor,
  newSession,
  packet,
  received,
  repeat,
  spec,
  standing,
  theirsOf,
  until,
  withSession,
} from './bfd-lan.ts'

test('a poll is answered at once while the main thread stands still', async () => {
  await withSession(spec(), async (neighbor, session) => {
    const yourDiscriminator = theirsOf(session)
    const answer = packet({ final: true, myDiscriminator: yourDiscriminator })
    const expect = packet({ yourDiscriminator })
    await host.call('order', session, standing({ answer, expect, detectionUs: us(60_000_000) }))
    await host.whileStanding(async () => {
      await neighbor.send(packet({ yourDiscriminator, poll: true }))
      await until('the answer', () => neighbor.got.length > 0)
      assert.deepEqual([...(neighbor.got[0]?.bytes ?? [])], [...answer])
    })
    assert.deepEqual(await host.call('events'), [])
  })
})

/** The packet with other octets, by their place. */
const altered = (bytes: Uint8Array, octets: Readonly<Record<number, number>>): Uint8Array =>
  Uint8Array.from(bytes, (octet, at) => octets[at] ?? octet)

type Changed = { readonly what: string; readonly alive: boolean; readonly bytes: Uint8Array }

/** What is not the expected packet of a session with that discriminator, and whether its sender lives by it. */
const changes = (yourDiscriminator: number): readonly Changed[] => {
  const known = { yourDiscriminator }
  const [alive, dead] = [true, false]
  return [
    { what: 'other intervals', alive, bytes: packet({ ...known, multiplier: 5, poll: true }) },
    { what: 'Init', alive, bytes: packet({ ...known, state: 'Init', diagnostic: 5 }) },
    { what: 'Down', alive: dead, bytes: packet({ ...known, state: 'Down' }) },
    { what: 'AdminDown', alive: dead, bytes: packet({ ...known, state: 'AdminDown' }) },
    { what: 'authenticated', alive: dead, bytes: altered(packet(known), { 1: 0xc4 }) },
    { what: 'multipoint', alive: dead, bytes: altered(packet(known), { 1: 0xc1 }) },
    { what: 'multiplier 0', alive: dead, bytes: altered(packet(known), { 2: 0 }) },
    { what: 'version 2', alive: dead, bytes: altered(packet(known), { 0: 0x40 }) },
    { what: 'length 25', alive: dead, bytes: altered(packet(known), { 3: 25 }) },
  ]
}

test('a changed packet puts the detection time off while the main thread stands still, if the neighbour lives by it', async () => {
  const neighbor = await Neighbor.open()
  const cases = changes(0).map((each, at) => {
    const session = newSession()
    const changed = changes(theirsOf(session))[at] ?? each
    return { ...changed, session, known: packet({ yourDiscriminator: theirsOf(session) }) }
  })
  let sending: readonly { end(): void }[] = []
  try {
    for (const { session, known } of cases) {
      await host.call('open', spec({ session }))
      const detectionUs = us(1_500_000)
      await host.call('order', session, standing({ expect: known, detectionUs }))
    }
    await host.whileStanding(async () => {
      for (const { known } of cases) await neighbor.send(known)
      sending = cases.map(({ bytes }) => neighbor.every(50, bytes))
      // Longer than twice the detection time: the thread listens for one more when it has been away.
      await delay(3_500)
    })
    const lost = new Set<number>()
    const dead = cases.filter(({ alive }) => !alive)
    await until('those are lost whose neighbour is not known to live', async () => {
      for (const { kind, session } of await host.call('events'))
        if (kind === 'expired') lost.add(session)
      return dead.every(({ session }) => lost.has(session))
    })
    assert.deepEqual(
      cases.filter(({ session }) => lost.has(session)).map(({ what }) => what),
      dead.map(({ what }) => what),
    )
  } finally {
    for (const each of sending) each.end()
    for (const { session } of cases) await host.call('close', session, null)
    await host.call('events')
    await neighbor.close()
  }
})

test('a host that was stopped judges by the time of arrival: what came in time counts, silence is listened to once more', async () => {
  await withSession(spec(), async (neighbor, session) => {
    const known = packet({ yourDiscriminator: theirsOf(session) })
    const detectionUs = us(1_000_000)
    await host.call('order', session, standing({ expect: known, detectionUs: us(60_000_000) }))
    const sending = neighbor.every(50, known)
    await until('steady', async () => (await received(session)) > 3)
    await host.call('order', session, standing({ expect: known, detectionUs }))
    host.signal('SIGSTOP')
    // Longer than the detection time, here and below.
    await delay(2_500)
    host.signal('SIGCONT')
    const before = await received(session)
    await until('it goes on', async () => (await received(session)) > before + 3)
    assert.deepEqual(await host.call('events'), [])
    const { longestGapUs } = await host.call('counters', session)
    assert.ok(longestGapUs < detectionUs, `a pause of ${longestGapUs} µs by the stamps`)

    host.signal('SIGSTOP')
    sending.end()
    await delay(2_500)
    host.signal('SIGCONT')
    const raised: BfdEngineEvent[] = []
    await until('it is lost', async () => raised.push(...(await host.call('events'))) > 0)
    const [lost] = raised
    assert.ok(lost?.kind === 'expired')
    const last = (await host.call('counters', session)).lastReceivedUs ?? 0
    // More than twice: the thread was away for longer than a detection time, and listened for one more.
    assert.ok(lost.deadlineUs >= last + 2 * detectionUs, `${lost.deadlineUs - last} µs after it`)
  })
})

test('the last word of a session goes out before its socket is closed', async () => {
  const neighbor = await Neighbor.open()
  const session = newSession()
  try {
    await host.call('open', spec({ session }))
    const farewell = packet({ state: 'AdminDown', myDiscriminator: theirsOf(session) })
    await host.call('close', session, farewell)
    await until('it arrives', () => neighbor.got.length > 0)
    assert.deepEqual([...(neighbor.got[0]?.bytes ?? [])], [...farewell])
  } finally {
    await neighbor.close()
  }
})

test('the margin: the longest pause by arrival, since the detection time is what it is', async () => {
  await withSession(spec(), async (neighbor, session) => {
    const known = packet({ yourDiscriminator: theirsOf(session) })
    // Orders and counters do not share a queue: what an order repeats with another interval is said once it is in force.
    let everyMs = 60_000
    const order = async (detectionUs: number) => {
      const heard = neighbor.got.length
      everyMs += 1_000
      const said = {
        repeat: repeat(packet(), everyMs),
        expect: known,
        detectionUs: us(detectionUs),
      }
      await host.call('order', session, standing(said))
      await until('the order is in force', () => neighbor.got.length > heard)
    }
    const longest = async () => (await host.call('counters', session)).longestGapUs
    await order(60_000_000)
    const arrivals = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const before = await received(session)
        await neighbor.send(known)
        await until('it arrives', async () => (await received(session)) > before)
      }
    }
    await arrivals(1)
    assert.equal(await longest(), 0)
    const pauseFrom = engine.now()
    // The pause that is measured.
    await delay(300)
    const pauseMs = (engine.now() - pauseFrom) / 1_000
    await arrivals(1)
    const gap = await longest()
    assert.ok(gap >= 300_000 && gap < (pauseMs + 5_000) * 1_000, `${gap} µs`)
    // Shorter pauses leave it as it is, the same detection time too, another one begins anew.
    await arrivals(2)
    await order(60_000_000)
    assert.equal(await longest(), gap)
    await order(61_000_000)
    assert.equal(await longest(), 0)
  })
})
