/**
 * Two hosts for the engine's tests: this process in its namespace with interface va, and the peer in another
 * with vb, the two ends of a veth pair; an engine on each. And short words for what the cases order.
 */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { type Ip, ipFamily, parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { Engine, EngineEvent, LinkSpec } from '../../src/engine/contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import type { Lead, Order, Plan, Repeat } from '../../src/engine/order.ts'
import { followPatience, wardenLateUs } from '../../src/engine/policy.ts'
import { until as lookUntil } from '../../src/lab/wait.ts'
import {
  type AddressSpec,
  encodeAddressDelete,
  encodeAddressReplace,
} from '../../src/wire/rtnetlink-address.ts'
import { errno } from '../../src/wire/rtnetlink-numbers.ts'
import { plainAddress } from '../unit/wire/plain-address.ts'
import { Peer } from './peer.ts'
import { ip, quiet } from './remote.ts'

export const address = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null)
  return parsed
}
export const ours = { 4: address('10.9.0.1'), 6: address('fe80::a') } as const
export const theirs = { 4: address('10.9.0.2'), 6: address('fe80::b') } as const
export const groups = { 4: address('224.0.0.18'), 6: address('ff02::12') } as const

export const events: EngineEvent[] = []
export const { engine } = startEngine(quiet, (batch) => events.push(...batch))
export const peer = new Peer()
let slots = 0
let generation = 0

export const ifindexIn = (shown: string): number => Number(shown.split(':')[0])
export let ifindex = 0
export let peerIfindex = 0

before(async () => {
  ip('link', 'set', 'dev', 'lo', 'up')
  ip('link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  // Only the addresses given here: those that come by themselves are news at a random time.
  ip('link', 'set', 'dev', 'va', 'addrgenmode', 'none')
  ip('link', 'set', 'dev', 'va', 'up')
  // The peer answers once it is in its own namespace.
  await peer.call('ip', ['link', 'set', 'dev', 'lo', 'up'])
  ip('link', 'set', 'dev', 'vb', 'netns', String(peer.pid))
  await peer.call('ip', ['link', 'set', 'dev', 'vb', 'up'])
  ip('address', 'add', '10.9.0.1/24', 'dev', 'va')
  ip('address', 'add', 'fe80::a/64', 'dev', 'va', 'nodad')
  await peer.call('ip', ['address', 'add', '10.9.0.2/24', 'dev', 'vb'])
  await peer.call('ip', ['address', 'add', 'fe80::b/64', 'dev', 'vb', 'nodad'])
  ifindex = ifindexIn(ip('-o', 'link', 'show', 'dev', 'va'))
  peerIfindex = ifindexIn(await peer.call('ip', ['-o', 'link', 'show', 'dev', 'vb']))
  await until(() => ip('link', 'show', 'dev', 'va').includes('state UP'))
})

after(async () => {
  engine.stop()
  await peer.stop()
})

export async function until(what: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  await lookUntil(`${what}`, ms, what, 5)
}

/** Waits for an event and takes it, with all before it, out of the list. */
export async function next<K extends EngineEvent['kind']>(
  kind: K,
  slot?: number,
): Promise<Extract<EngineEvent, { kind: K }>> {
  const fits = (e: EngineEvent): e is Extract<EngineEvent, { kind: K }> =>
    e.kind === kind && (slot === undefined || ('slot' in e && e.slot === slot))
  await until(() => events.some(fits))
  const at = events.findIndex(fits)
  return events.splice(0, at + 1)[at] as Extract<EngineEvent, { kind: K }>
}

export const newSlot = (): number => {
  slots += 1
  return slots
}

export function order(slot: number, what: Order, to: Pick<Engine, 'order'> = engine): number {
  generation += 1
  to.order([{ slot, generation, order: what }])
  return generation
}

/** Carries out a plan on a slot of no further meaning. */
export async function carryOut(now: Plan): Promise<number> {
  const slot = newSlot()
  const link = engine.openLink(spec({ receiveBufferBytes: null }))
  engine.addSlot(slot, link, 200)
  order(slot, { kind: 'idle', now })
  await engine.flush()
  engine.removeSlot(slot)
  engine.closeLink(link)
  return slot
}

/** An rtnetlink request of its own. Rejects with OpError. */
export const request = (bytes: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) =>
    engine.request(bytes, (answer) =>
      answer instanceof Uint8Array ? resolve(answer) : reject(answer),
    ),
  )

export const spec = (over: Partial<LinkSpec> = {}): LinkSpec => ({
  family: 4,
  interface: 'va',
  ifindex,
  receiveOnAny: false,
  source: ours[4],
  group: groups[4],
  ttl: 255,
  filter: new Uint8Array(0),
  receiveBufferBytes: 65_536,
  ...over,
})

export const repeat = (plan: Plan, everyMs: number): Repeat => ({
  key: 'advert',
  firstAfterUs: us(everyMs * 1000),
  everyUs: us(everyMs * 1000),
  plan,
})

export const leadWith = (plan: Plan, over: Partial<Lead> = {}): Order => ({
  kind: 'lead',
  now: plan,
  repeats: [repeat(plan, 20)],
  resign: [],
  lateUs: us(60_000_000),
  wardenLateUs: wardenLateUs(over.lateUs ?? us(60_000_000)),
  ...over,
})

export const empty: Lead = {
  now: [],
  repeats: [],
  resign: [],
  lateUs: us(1_000_000),
  wardenLateUs: us(900_000),
}
export const follow = (
  over: Partial<Extract<Order, { kind: 'follow' }>>,
  onExpiry = empty,
): Order => ({
  kind: 'follow',
  now: [],
  expect: null,
  deadlineUs: us(engine.now() + 60_000_000),
  restartUs: us(1_000_000),
  ...followPatience(us(1_000_000)),
  onExpiry,
  ...over,
})

export const vip = (text: string, over: Partial<AddressSpec> = {}): AddressSpec => {
  const prefixLength = ipFamily(address(text)) === 4 ? 32 : 128
  return plainAddress(address(text), { ifindex, prefixLength, nodad: true, ...over })
}
export const add = (a: AddressSpec): Plan => [
  { kind: 'netlink', bytes: encodeAddressReplace(a), tolerate: [errno.EEXIST] },
]
export const remove = (
  a: AddressSpec,
  tolerate: readonly number[] = [errno.EADDRNOTAVAIL],
): Plan => [{ kind: 'netlink', bytes: encodeAddressDelete(a), tolerate }]

/** What ip(8) says is there. */
export const held = (): readonly string[] =>
  (JSON.parse(ip('-j', 'address', 'show', 'dev', 'va')) as { addr_info: { local: string }[] }[])
    .flatMap((link) => link.addr_info)
    .map((info) => info.local)
