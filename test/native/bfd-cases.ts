/**
 * What BFD asks of its sockets and of its thread: this process is the neighbour, with sockets of its own or with
 * sessions, and the host under test is a child, whose main thread may stand still.
 */
import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Ip, isLinkLocal, parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { BfdEngineEvent, BfdSpec, BfdStanding } from '../../src/engine/bfd-contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import { until as lookUntil } from '../../src/lab/wait.ts'
import { type BfdPacket, bfdPort, encodeBfd } from '../../src/wire/bfd.ts'
import { BfdHost } from './bfd-host.ts'
import { ip, quiet } from './remote.ts'

const address = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null)
  return parsed
}
const ours = { 4: address('10.9.0.1'), 6: address('fd09::1'), link: address('fe80::a') }
const theirs = { 4: address('10.9.0.2'), 6: address('fd09::2'), link: address('fe80::b') }
const otherOfTheirs = address('10.9.0.3')

const host = new BfdHost()
const events: BfdEngineEvent[] = []
const { engine, openBfd } = startEngine(quiet, () => undefined)
const bfd = openBfd((batch) => events.push(...batch))
const ifindexes = { here: 0, there: 0 }
const ifindexIn = (shown: string): number => Number(shown.split(':')[0])

before(async () => {
  ip('link', 'set', 'dev', 'lo', 'up')
  ip('link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  // The host answers once it is in its own namespace.
  await host.call('ip', ['link', 'set', 'dev', 'lo', 'up'])
  ip('link', 'set', 'dev', 'vb', 'netns', String(host.pid))
  ip('link', 'set', 'dev', 'va', 'addrgenmode', 'none', 'up')
  await host.call('ip', ['link', 'set', 'dev', 'vb', 'addrgenmode', 'none', 'up'])
  const add = (where: string, dev: string) => {
    const nodad = where.includes(':') ? ['nodad'] : []
    return ['address', 'add', where, 'dev', dev, ...nodad]
  }
  for (const each of [`${ours[4]}/24`, `${ours[6]}/64`, `${ours.link}/64`]) ip(...add(each, 'va'))
  for (const each of [theirs[4], otherOfTheirs]) await host.call('ip', add(`${each}/24`, 'vb'))
  for (const each of [theirs[6], theirs.link]) await host.call('ip', add(`${each}/64`, 'vb'))
  ifindexes.here = ifindexIn(ip('-o', 'link', 'show', 'dev', 'va'))
  ifindexes.there = ifindexIn(await host.call('ip', ['-o', 'link', 'show', 'dev', 'vb']))
  await until('carrier', () => ip('link', 'show', 'dev', 'va').includes('state UP'))
})

after(async () => {
  bfd.stop()
  engine.stop()
  await host.stop()
})

const until = (what: string, holds: () => boolean | Promise<boolean>) =>
  lookUntil(what, 20_000, holds, 5)

let sessions = 0
const newSession = (): number => {
  sessions += 1
  return sessions
}
/** Of the host's session; this end's is `mine`. */
const theirsOf = (session: number): number => 0x1000 + session
const mine = 77

/** A session of the host under test with this process. */
const spec = (over: Partial<BfdSpec> = {}): BfdSpec => {
  const session = over.session ?? newSession()
  return {
    ...{ session, discriminator: theirsOf(session), peer: ours[4], local: null, ifindex: 0 },
    ...{ port: bfdPort.singleHop, ttl: 255, minTtl: 255, multihop: false, inherits: null },
    ...over,
  }
}

const packet = (over: Partial<BfdPacket> = {}): Uint8Array =>
  encodeBfd({
    ...{ state: 'Up', diagnostic: 0, poll: false, final: false, demand: false, multiplier: 3 },
    ...{ myDiscriminator: mine, yourDiscriminator: 0 },
    ...{ desiredMinTxUs: us(50_000), requiredMinRxUs: us(50_000), ...over },
  })

const standing = (over: Partial<BfdStanding> = {}): BfdStanding => ({
  ...{ repeat: null, answer: null, expect: null, detectionUs: null, onExpiry: null },
  ...{ polling: false, heardAt: null, expiries: 0, takeover: [], ...over },
})

const repeat = (bytes: Uint8Array, everyMs: number, least = 0) => ({
  bytes,
  everyUs: us(everyMs * 1_000),
  shorter: { least, most: 0.25 },
})

type Got = { readonly bytes: Uint8Array; readonly from: RemoteInfo }

/** The neighbour as a bare socket: sends what it is told to, with that TTL. */
class Neighbor {
  readonly got: Got[] = []
  readonly #socket: Socket
  readonly #to: Ip
  readonly #port: number

  private constructor(socket: Socket, to: Ip, port: number) {
    this.#socket = socket
    this.#to = to
    this.#port = port
    socket.on('message', (bytes, from) => this.got.push({ bytes, from }))
  }

  static async open(at: Ip = ours[4], to: Ip = theirs[4], port: number = bfdPort.singleHop) {
    const socket = createSocket(at.includes(':') ? 'udp6' : 'udp4')
    socket.bind(port, isLinkLocal(at) ? `${at}%va` : at)
    await once(socket, 'listening')
    socket.setTTL(255)
    return new Neighbor(socket, to, port)
  }

  send(bytes: Uint8Array, ttl = 255, to = this.#to): Promise<void> {
    this.#socket.setTTL(ttl)
    const where = isLinkLocal(to) ? `${to}%va` : to
    return new Promise((resolve, reject) =>
      this.#socket.send(bytes, this.#port, where, (error) => (error ? reject(error) : resolve())),
    )
  }

  /** Again and again until `end`. */
  every(ms: number, bytes: Uint8Array): { end(): void } {
    const timer = setInterval(() => void this.send(bytes).catch(() => undefined), ms)
    return { end: () => clearInterval(timer) }
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}

const received = async (session: number) => (await host.call('counters', session)).received

/** The host's sessions and this end's sockets are closed whatever happens. */
async function withSession(
  of: BfdSpec,
  body: (neighbor: Neighbor, session: number) => Promise<void>,
): Promise<void> {
  const to = of.local ?? (of.peer.includes(':') ? theirs[6] : theirs[4])
  const neighbor = await Neighbor.open(of.peer, to, of.port)
  await host.call('open', of)
  try {
    await body(neighbor, of.session)
  } finally {
    await host.call('close', of.session, null)
    await host.call('events')
    await neighbor.close()
  }
}

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
