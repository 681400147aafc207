/** The session against RFC 5880's table and against what keepalived 2.2.7 and BIRD sent to one another. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { bfdOrder } from '../../../src/bfd/orders.ts'
import {
  type BfdParams,
  type BfdSession,
  isOthers,
  newBfdSession,
  stepBfd,
} from '../../../src/bfd/session.ts'
import { type BfdPacket, bfdStates, decodeBfd } from '../../../src/wire/bfd.ts'

const params: BfdParams = {
  discriminator: 0xd7ab1c34,
  minTxUs: us(50_000),
  minRxUs: us(50_000),
  idleTxUs: us(1_000_000),
  multiplier: 3,
  passive: false,
}
const packet = (state: BfdPacket['state'], more: Partial<BfdPacket> = {}): BfdPacket => ({
  state,
  diagnostic: 0,
  poll: false,
  final: false,
  demand: false,
  multiplier: 5,
  myDiscriminator: 0x6c731f31,
  yourDiscriminator: state === 'Down' ? 0 : params.discriminator,
  desiredMinTxUs: us(20_000),
  requiredMinRxUs: us(30_000),
  ...more,
})
const hear = (session: BfdSession, ...packets: readonly BfdPacket[]): BfdSession =>
  packets.reduce((s, p) => stepBfd(s, params, { kind: 'packet', packet: p }), session)

const down = newBfdSession(params)
const init = hear(down, packet('Down'))
const up = hear(init, packet('Up', { poll: true }))
const hex = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('hex')

test('the table of RFC 5880 section 6.8.6', () => {
  const table: readonly (readonly [BfdSession, readonly string[]])[] = [
    // Received: AdminDown, Down, Init, Up.
    [down, ['Down 0', 'Init 0', 'Up 0', 'Down 0']],
    [init, ['Down 3', 'Init 0', 'Up 0', 'Up 0']],
    [up, ['Down 3', 'Down 3', 'Up 0', 'Up 0']],
  ]
  for (const [from, expected] of table)
    for (const [i, received] of bfdStates.entries()) {
      const { state, diagnostic } = hear(from, packet(received))
      assert.equal(`${state} ${diagnostic}`, expected[i], `${from.state}, received ${received}`)
    }
  const states = [down, init, up].map((s) => stepBfd(s, params, { kind: 'expired' }))
  assert.deepEqual(
    states.map((s) => [s.state, s.diagnostic, s.peer]),
    [
      ['Down', 0, null],
      ['Down', 1, null],
      ['Down', 1, null],
    ],
  )
})

test('octet for octet what keepalived 2.2.7 sends in the same place, but for the poll', () => {
  const sent = (s: BfdSession) => hex(bfdOrder(s, params).repeat?.bytes)
  assert.equal(sent(down), '20400318d7ab1c3400000000000f42400000c35000000000')
  assert.equal(sent(init), '20800318d7ab1c346c731f31000f42400000c35000000000')
  assert.equal(sent(up), '20e00318d7ab1c346c731f310000c3500000c35000000000')
  assert.equal(hex(bfdOrder(up, params).answer), '20d00318d7ab1c346c731f310000c3500000c35000000000')
  const polled = hear(up, packet('Up', { final: true }))
  assert.equal(sent(polled), '20c00318d7ab1c346c731f310000c3500000c35000000000')
  assert.equal(
    hex(bfdOrder(polled, params).onExpiry?.bytes),
    '21400318d7ab1c3400000000000f42400000c35000000000',
  )
})

test('intervals are the slower of both; the detection time is the peer’s multiplier', () => {
  const order = bfdOrder(up, params)
  assert.equal(order.repeat?.everyUs, 50_000)
  assert.equal(order.detectionUs, 5 * 50_000)
  assert.equal(bfdOrder(down, params).detectionUs, null)
  assert.equal(bfdOrder(down, params).repeat?.everyUs, 1_000_000)
  const slow = hear(
    init,
    packet('Up', { requiredMinRxUs: us(400_000), desiredMinTxUs: us(90_000) }),
  )
  assert.equal(bfdOrder(slow, params).repeat?.everyUs, 400_000)
  assert.equal(bfdOrder(slow, params).detectionUs, 5 * 90_000)
  assert.deepEqual(order.repeat?.shorter, { least: 0, most: 0.25 })
  const one = { ...params, multiplier: 1 }
  assert.deepEqual(bfdOrder(up, one).repeat?.shorter, { least: 0.1, most: 0.25 })
})

test('while Up a longer interval, or a shorter one that is demanded, waits for F', () => {
  const polled = hear(up, packet('Up', { final: true }))
  const changed = { ...params, minTxUs: us(200_000), minRxUs: us(20_000) }
  const polling = stepBfd(polled, changed, { kind: 'params' })
  assert.deepEqual([polling.polling, polling.txUs, polling.rxUs], [true, 50_000, 50_000])
  const sent = decodeBfd(bfdOrder(polling, changed).repeat?.bytes ?? new Uint8Array())
  assert.ok(sent.ok && sent.value.poll)
  assert.equal(sent.value.desiredMinTxUs, 200_000)
  const final = packet('Up', { final: true })
  const done = stepBfd(polling, changed, { kind: 'packet', packet: final })
  assert.deepEqual([done.polling, done.txUs, done.rxUs], [false, 200_000, 20_000])
  const quicker = { ...params, minTxUs: us(10_000), minRxUs: us(90_000) }
  const atOnce = stepBfd(polled, quicker, { kind: 'params' })
  assert.deepEqual([atOnce.txUs, atOnce.rxUs], [10_000, 90_000])
})

test('silent: passive until it hears; to a peer that takes nothing; to one that demands it, but for a poll', () => {
  const passive = { ...params, passive: true }
  assert.equal(bfdOrder(down, passive).repeat, null)
  assert.notEqual(bfdOrder(init, passive).repeat, null)
  assert.equal(bfdOrder(hear(up, packet('Up', { requiredMinRxUs: us(0) })), params).repeat, null)
  const demanded = hear(up, packet('Up', { demand: true }))
  assert.notEqual(bfdOrder(demanded, params).repeat, null, 'it polls')
  const quiet = hear(demanded, packet('Up', { demand: true, final: true }))
  assert.equal(bfdOrder(quiet, params).repeat, null)
})

test('a packet for the session before this one is another’s', () => {
  assert.equal(isOthers(packet('Up'), params), false)
  assert.equal(isOthers(packet('Down'), params), false)
  assert.equal(isOthers(packet('Up', { yourDiscriminator: 7 }), params), true)
})

test('a pair that starts in any order comes Up, and goes Down and Up again with a restart of one side', () => {
  const other: BfdParams = { ...params, discriminator: 0x1, multiplier: 4, minTxUs: us(20_000) }
  const exchange = (a: BfdSession, b: BfdSession, turns: number): [BfdSession, BfdSession] => {
    let [one, two] = [a, b]
    for (let i = 0; i < turns; i++) {
      two = deliver(one, params, two, other)
      one = deliver(two, other, one, params)
    }
    return [one, two]
  }
  const [one, two] = exchange(down, newBfdSession(other), 4)
  assert.deepEqual([one.state, two.state, one.polling, two.polling], ['Up', 'Up', false, false])
  const [again, stayed] = exchange(newBfdSession(params), two, 4)
  assert.deepEqual([again.state, stayed.state], ['Up', 'Up'])
})

/** What one side repeats reaches the other, whose answer to a poll comes back in its next packet. */
function deliver(from: BfdSession, of: BfdParams, to: BfdSession, its: BfdParams): BfdSession {
  const sent = decodeBfd(bfdOrder(from, of).repeat?.bytes ?? new Uint8Array())
  if (!sent.ok || isOthers(sent.value, its)) return to
  const final = { ...sent.value, poll: false, final: to.polling }
  return stepBfd(to, its, { kind: 'packet', packet: final })
}
