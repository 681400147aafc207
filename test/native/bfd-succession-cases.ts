/**
 * Two engines with their BFD threads, as the two processes of an upgrade have them. The session is with itself, over
 * loopback: what it sends it expects, so that each packet that is lost shows in two counters of one end.
 */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { loadAddon } from '../../src/addon/load.ts'
import type { Ip } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { BfdEngineEvent, BfdSpec, BfdStanding } from '../../src/engine/bfd-contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { bfdPort, encodeBfd } from '../../src/wire/bfd.ts'
import { ip, quiet } from './remote.ts'

const addon = loadAddon() as {
  makeExchange(): ExchangeHandle
  packetPair(): readonly [number, number]
  closeDescriptor(fd: number): number
}
const self = '127.0.0.1' as Ip
const folder = mkdtempSync(join(tmpdir(), 'vipd-bfd-'))

ip('link', 'set', 'dev', 'lo', 'up')

/** What it says to itself; another multiplier is another packet. */
const packet = (multiplier: number): Uint8Array =>
  encodeBfd({
    ...{ state: 'Up', diagnostic: 0, poll: false, final: false, demand: false, multiplier },
    ...{ myDiscriminator: 5, yourDiscriminator: 5 },
    ...{ desiredMinTxUs: us(20_000), requiredMinRxUs: us(20_000) },
  })

const standing: BfdStanding = {
  repeat: { bytes: packet(3), everyUs: us(20_000), shorter: { least: 0, most: 0.25 } },
  ...{ answer: null, expect: packet(3), detectionUs: us(60_000_000), onExpiry: null },
  ...{ polling: false, heardAt: null, expiries: 0, takeover: [] },
}

const spec = (session: number, inherits: number | null): BfdSpec => ({
  ...{ session, discriminator: 5, peer: self, local: self, ifindex: 0 },
  ...{ port: bfdPort.singleHop, ttl: 255, minTtl: 255, multihop: false, inherits },
})

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!holds()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`)
    await delay(2)
  }
}

let started = 0

function side(succeeds?: ExchangeHandle) {
  const events: BfdEngineEvent[] = []
  const exchanged: string[] = []
  const options = succeeds === undefined ? quiet : { ...quiet, succeeds }
  const all = startEngine(
    options,
    () => undefined,
    ({ what }) => exchanged.push(what),
  )
  started += 1
  all.guard.startWarden(join(folder, `warden${started}`), 'text')
  const bfd = all.openBfd((batch) => events.push(...batch))
  const stop = () => {
    bfd.stop()
    all.engine.stop()
  }
  return { ...all, bfd, events, exchanged, stop }
}

/** A first with session 1, and a second that has been passed its sockets and holds it as session 9. */
async function pair(t: TestContext) {
  const exchange = addon.makeExchange()
  const [sockets, theirSockets] = addon.packetPair()
  const first = side()
  first.bfd.open(spec(1, null))
  first.bfd.order(1, standing)
  await until('it hears itself', () => first.bfd.counters(1).received > 5)
  const second = side(exchange)
  const pass = (attempt: number) => {
    const count = first.bfd.offer({ exchange, sockets }, attempt)
    // The memory, what wakes either, a receiver and a sender.
    assert.equal(count, 5)
    second.bfd.inherit(theirSockets, attempt, 5)
    second.bfd.open(spec(9, 1))
    second.bfd.order(9, standing)
  }
  const stop = () => {
    second.stop()
    first.stop()
    for (const fd of [sockets, theirSockets]) addon.closeDescriptor(fd)
  }
  t.after(stop)
  return { first, second, exchange, pass }
}

type Pair = Awaited<ReturnType<typeof pair>>

async function exchangeSlots({ first, second, exchange }: Pair, attempt: number): Promise<void> {
  first.succession.offer(exchange, attempt)
  second.succession.ready(attempt, new Map())
  await until('the slots are taken', () => second.exchanged.includes('took'))
  second.bfd.endInheritance()
}

test('the second goes on through the same sockets, and no packet is lost', async (t) => {
  const it = await pair(t)
  it.pass(1)
  const held = it.second.bfd.counters(9)
  assert.deepEqual([held.sent, held.received], [0, 0], 'held, it sends nothing')
  await exchangeSlots(it, 1)
  const { second, first } = it
  await until('it counts on', () => second.bfd.counters(9).sent >= 5)
  const before = first.bfd.counters(1).sent
  await until('it hears itself', () => second.bfd.counters(9).received >= before + 20)
  assert.equal(first.bfd.counters(1).sent, before, 'the first is silent')
  // One may be under way.
  const after = second.bfd.counters(9)
  assert.ok(after.sent - after.received <= 1, `${after.received} of ${after.sent}`)
  assert.deepEqual([first.events, second.events], [[], []])
})

test('one that is stopped as the slots are taken gives all the same', async (t) => {
  const it = await pair(t)
  it.pass(1)
  const sent = it.first.bfd.counters(1).sent
  await exchangeSlots(it, 1)
  it.first.bfd.stop()
  await until('it counts on', () => it.second.bfd.counters(9).sent > sent)
})

test('a first that does not give is not waited for', async (t) => {
  const it = await pair(t)
  it.pass(1)
  // Its thread has forgotten of it: as if it were dead, but for its packets.
  it.first.bfd.withdraw()
  await exchangeSlots(it, 1)
  await until('it sends by itself', () => it.second.bfd.counters(9).sent > 5)
  it.first.bfd.stop()
  const { received } = it.second.bfd.counters(9)
  await until('it hears itself', () => it.second.bfd.counters(9).received > received + 5)
})

test('a state that is not taken up changes nothing; the next one is', async (t) => {
  const it = await pair(t)
  const { first, second } = it
  it.pass(1)
  first.bfd.withdraw()
  const heard = first.bfd.counters(1).received
  await until('the first goes on', () => first.bfd.counters(1).received > heard + 5)
  assert.equal(second.bfd.counters(9).sent, 0)
  second.bfd.close(9, null)
  // What was sent for another attempt is not this one's.
  it.pass(2)
  await exchangeSlots(it, 2)
  await until('it counts on', () => second.bfd.counters(9).received > heard + 5)
  const { sent, received } = second.bfd.counters(9)
  assert.ok(sent - received <= 1)
})

test('the second ends before: the first goes on, and the port is still its own', async (t) => {
  const it = await pair(t)
  it.pass(1)
  it.second.stop()
  it.first.bfd.withdraw()
  const { received } = it.first.bfd.counters(1)
  await until('the first goes on', () => it.first.bfd.counters(1).received > received + 5)
  const { sent, received: heard } = it.first.bfd.counters(1)
  assert.ok(sent - heard <= 1)
})

test('what waits for the main thread is judged before anything is passed', async (t) => {
  const { first, exchange } = await pair(t)
  first.bfd.order(1, {
    ...standing,
    repeat: { bytes: packet(4), everyUs: us(1_000), shorter: { least: 0, most: 0 } },
  })
  const [sockets, others] = addon.packetPair()
  // It stands still meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  assert.equal(first.bfd.offer({ exchange, sockets }, 1), null)
  for (const fd of [sockets, others]) addon.closeDescriptor(fd)
})

test('sockets that did not come are said', async (t) => {
  const it = await pair(t)
  const [near, far] = addon.packetPair()
  assert.throws(() => it.second.bfd.inherit(far, 1, 5), /recvmsg/)
  for (const fd of [near, far]) addon.closeDescriptor(fd)
})
