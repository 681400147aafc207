/**
 * What BFD asks of its sockets and of its thread: this process is the neighbour, with sockets of its own or with
 * sessions, and the host under test is a child, whose main thread may stand still.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { BfdEngineEvent } from '../../src/engine/bfd-contract.ts'
import { bfdPort } from '../../src/wire/bfd.ts'
import {
  bfd,
  events,
  host,
  ifindexes,
  mine,
  Neighbor,
  newSession,
  otherOfTheirs,
  ours,
  packet,
  received,
  repeat,
  spec,
  standing,
  theirs,
  theirsOf,
  until,
  withSession,
} from './bfd-lan.ts'

for (const family of [4, 6] as const)
  test(`IPv${family}: two processes repeat and expect; steady, neither has anything to say; then one is silent`, async () => {
    const far = newSession()
    const near = 900 + family
    const bytes = { far: packet({ myDiscriminator: theirsOf(far), yourDiscriminator: mine }) }
    const own = packet({ yourDiscriminator: theirsOf(far) })
    const detectionUs = us(1_000_000)
    await host.call('open', spec({ session: far, peer: ours[family] }))
    bfd.open(spec({ session: near, discriminator: mine, peer: theirs[family] }))
    try {
      // Both know what they expect before either speaks.
      const there = standing({ expect: own, detectionUs })
      await host.call('order', far, there)
      bfd.order(near, standing({ repeat: repeat(own, 20), expect: bytes.far, detectionUs }))
      await host.call('order', far, { ...there, repeat: repeat(bytes.far, 20) })
      await until('both hear', async () => {
        return bfd.counters(near).received > 20 && (await received(far)) > 20
      })
      assert.deepEqual([events.splice(0), await host.call('events')], [[], []])
      assert.deepEqual([bfd.counters(near).badTtl, bfd.unclaimed()], [0, 0])

      await host.call('close', far, null)
      await until('the detection time passes', () => events.length > 0)
      const [lost] = events.splice(0)
      assert.ok(lost?.kind === 'expired')
      const last = bfd.counters(near).lastReceivedUs ?? 0
      assert.equal(lost.deadlineUs, last + detectionUs)
      assert.ok(lost.at >= lost.deadlineUs)
    } finally {
      bfd.close(near, null)
      await host.call('close', far, null)
      await host.call('events')
    }
  })

test('the source port is one of 49152 to 65535 and stays the same (RFC 5881 section 4)', async () => {
  await withSession(spec(), async (neighbor, session) => {
    await host.call('order', session, standing({ repeat: repeat(packet({ state: 'Down' }), 20) }))
    await until('packets', () => neighbor.got.length > 5)
    const ports = new Set(neighbor.got.map(({ from }) => from.port))
    assert.equal(ports.size, 1)
    for (const port of ports) assert.ok(port >= 49_152 && port <= 65_535, String(port))
  })
})

for (const [name, of, allowed] of [
  ['IPv4', spec(), 255],
  ['IPv6', spec({ peer: ours[6] }), 255],
  ['IPv6 with keepalived’s limit', spec({ peer: ours[6], minTtl: 64 }), 64],
  ['multihop', spec({ port: bfdPort.multihop, multihop: true, minTtl: 250 }), 250],
] as const)
  test(`${name}: less than hop limit ${allowed} is refused and counted, and puts nothing off`, async () => {
    await withSession(of, async (neighbor, session) => {
      const known = packet({ yourDiscriminator: theirsOf(session) })
      await host.call('order', session, standing({ expect: known }))
      await neighbor.send(known, allowed - 1)
      await neighbor.send(known, 1)
      await neighbor.send(known, allowed)
      await until('one counts', async () => (await received(session)) === 1)
      assert.equal((await host.call('counters', session)).badTtl, 2)
      assert.deepEqual(await host.call('events'), [])
    })
  })

test('a port that is another program’s: that session fails with the reason, one of another port does not', async () => {
  const socket = createSocket('udp4')
  socket.bind(bfdPort.singleHop)
  await once(socket, 'listening')
  try {
    const taken = spec({ discriminator: mine, peer: theirs[4], session: 950 })
    assert.throws(() => bfd.open(taken), { op: 'bind', code: 'EADDRINUSE' })
    const multihop = { ...taken, session: 951, port: bfdPort.multihop, multihop: true }
    for (const free of [multihop, { ...taken, session: 952, peer: theirs[6] }]) {
      bfd.open(free)
      bfd.close(free.session, null)
    }
    const closed = once(socket, 'close')
    socket.close()
    await closed
    bfd.open(taken)
    bfd.close(taken.session, null)
  } catch (error) {
    socket.close()
    throw error
  }
})

test('a first packet finds its session by both addresses; a link-local neighbour by its link', async () => {
  const [one, two, link] = [newSession(), newSession(), newSession()]
  const first = packet({ state: 'Down' })
  await host.call('open', spec({ session: one, local: theirs[4] }))
  await host.call('open', spec({ session: two, local: otherOfTheirs }))
  const { there } = ifindexes
  const local = { peer: ours.link, local: theirs.link, ifindex: there }
  await host.call('open', spec({ session: link, ...local }))
  const neighbor = await Neighbor.open()
  const byLink = await Neighbor.open(ours.link, theirs.link)
  try {
    await neighbor.send(first, 255, otherOfTheirs)
    await neighbor.send(first, 255, theirs[4])
    await byLink.send(first)
    const raised: BfdEngineEvent[] = []
    await until('three packets', async () => raised.push(...(await host.call('events'))) === 3)
    assert.deepEqual(
      raised.map(({ session }) => session).toSorted((a, b) => a - b),
      [one, two, link],
    )
    assert.equal(raised.find(({ session }) => session === link)?.kind, 'packet')
    assert.deepEqual(
      raised.slice(0, 2).map(({ session }) => session),
      [two, one],
    )
    await host.call('order', link, standing({ repeat: repeat(first, 20) }))
    await until('it is answered over the link', () => byLink.got.length > 0)
    assert.equal(byLink.got[0]?.from.address, `${theirs.link}%va`)
  } finally {
    await neighbor.close()
    await byLink.close()
    for (const session of [one, two, link]) await host.call('close', session, null)
  }
})

for (const [name, least, longestMs] of [
  ['75 to 100 % of the interval', 0, 40],
  ['75 to 90 % with a multiplier of 1', 0.1, 36],
] as const)
  test(`the jitter of RFC 5880 section 6.8.7: ${name}`, async () => {
    const far = newSession()
    const near = 960 + least * 10
    await host.call('open', spec({ session: far }))
    bfd.open(spec({ session: near, discriminator: mine, peer: theirs[4] }))
    try {
      const bytes = packet({ myDiscriminator: theirsOf(far), yourDiscriminator: mine })
      bfd.order(near, standing())
      await host.call('order', far, standing({ repeat: repeat(bytes, 40, least) }))
      await until('packets', () => events.length > 50)
      // By the kernel's stamps. A sender that comes late makes one pause longer, and may make the next one shorter.
      const at = events.splice(0).map((event) => event.at)
      const gaps = at.slice(1).map((each, i) => (each - (at[i] ?? 0)) / 1_000)
      const sorted = gaps.toSorted((a, b) => a - b)
      const share = (part: number) => sorted[Math.floor(part * sorted.length)] ?? Number.NaN
      assert.ok(share(0.1) >= 29.5, `a tenth of the pauses is below ${share(0.1)} ms`)
      assert.ok(share(0.5) < longestMs, `half of the pauses are above ${share(0.5)} ms`)
      assert.ok(share(0.5) - share(0.1) > 1, 'each pause is drawn anew')
    } finally {
      bfd.close(near, null)
      await host.call('close', far, null)
    }
  })
