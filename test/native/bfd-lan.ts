/** Two hosts for the tests of BFD: this process is the neighbour, and the host under test a child. */
import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, before } from 'node:test'
import { type Ip, isLinkLocal, parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { BfdEngineEvent, BfdSpec, BfdStanding } from '../../src/engine/bfd-contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import { until as lookUntil } from '../../src/lab/wait.ts'
import { type BfdPacket, bfdPort, encodeBfd } from '../../src/wire/bfd.ts'
import { BfdHost } from './bfd-host.ts'
import { ip, quiet } from './remote.ts'

export const address = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null)
  return parsed
}

export const ours = { 4: address('10.9.0.1'), 6: address('fd09::1'), link: address('fe80::a') }

export const theirs = { 4: address('10.9.0.2'), 6: address('fd09::2'), link: address('fe80::b') }

export const otherOfTheirs = address('10.9.0.3')

export const host = new BfdHost()

export const events: BfdEngineEvent[] = []

export const { engine, openBfd } = startEngine(quiet, () => undefined)

export const bfd = openBfd((batch) => events.push(...batch))

export const ifindexes = { here: 0, there: 0 }

export const ifindexIn = (shown: string): number => Number(shown.split(':')[0])

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

export const until = (what: string, holds: () => boolean | Promise<boolean>) =>
  lookUntil(what, 20_000, holds, 5)

export let sessions = 0

export const newSession = (): number => {
  sessions += 1
  return sessions
}

/** Of the host's session; this end's is `mine`. */
export const theirsOf = (session: number): number => 0x1000 + session

export const mine = 77

/** A session of the host under test with this process. */
export const spec = (over: Partial<BfdSpec> = {}): BfdSpec => {
  const session = over.session ?? newSession()
  return {
    ...{ session, discriminator: theirsOf(session), peer: ours[4], local: null, ifindex: 0 },
    ...{ port: bfdPort.singleHop, ttl: 255, minTtl: 255, multihop: false, inherits: null },
    ...over,
  }
}

export const packet = (over: Partial<BfdPacket> = {}): Uint8Array =>
  encodeBfd({
    ...{ state: 'Up', diagnostic: 0, poll: false, final: false, demand: false, multiplier: 3 },
    ...{ myDiscriminator: mine, yourDiscriminator: 0 },
    ...{ desiredMinTxUs: us(50_000), requiredMinRxUs: us(50_000), ...over },
  })

export const standing = (over: Partial<BfdStanding> = {}): BfdStanding => ({
  ...{ repeat: null, answer: null, expect: null, detectionUs: null, onExpiry: null },
  ...{ polling: false, heardAt: null, expiries: 0, takeover: [], ...over },
})

export const repeat = (bytes: Uint8Array, everyMs: number, least = 0) => ({
  bytes,
  everyUs: us(everyMs * 1_000),
  shorter: { least, most: 0.25 },
})

export type Got = { readonly bytes: Uint8Array; readonly from: RemoteInfo }

/** The neighbour as a bare socket: sends what it is told to, with that TTL. */
export class Neighbor {
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

export const received = async (session: number) => (await host.call('counters', session)).received

/** The host's sessions and this end's sockets are closed whatever happens. */
export async function withSession(
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
