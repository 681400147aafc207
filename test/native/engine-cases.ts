/** The cases of engine.test.ts; the namespace is this process's own, the peer has another. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { OpError } from '../../src/base/errors.ts'
import { type Ip, ipFamily, parseIp } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type {
  Engine,
  EngineEvent,
  Lead,
  LinkSpec,
  Order,
  Plan,
  Repeat,
} from '../../src/engine/contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import { encodeGratuitousArp } from '../../src/wire/arp.ts'
import { vrrpFilter } from '../../src/wire/bpf.ts'
import {
  type AddressSpec,
  decodeMessages,
  encodeAddressDelete,
  encodeAddressDump,
  encodeAddressReplace,
  encodeLinkDump,
  errno,
} from '../../src/wire/rtnetlink.ts'
import { ip, Peer } from './peer.ts'

const address = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null)
  return parsed
}
const ours = { 4: address('10.9.0.1'), 6: address('fe80::a') } as const
const theirs = { 4: address('10.9.0.2'), 6: address('fe80::b') } as const
const groups = { 4: address('224.0.0.18'), 6: address('ff02::12') } as const

const quiet = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }
const events: EngineEvent[] = []
const { engine } = startEngine(quiet, (batch) => events.push(...batch))
const peer = new Peer()
let slots = 0
let generation = 0

const ifindexIn = (shown: string): number => Number(shown.split(':')[0])
let ifindex = 0
let peerIfindex = 0

before(async () => {
  ip('link', 'set', 'dev', 'lo', 'up')
  ip('link', 'add', 'name', 'va', 'type', 'veth', 'peer', 'name', 'vb')
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

async function until(what: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await what())) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`)
    await delay(5)
  }
}

/** Waits for an event and takes it, with all before it, out of the list. */
async function next<K extends EngineEvent['kind']>(
  kind: K,
  slot?: number,
): Promise<Extract<EngineEvent, { kind: K }>> {
  const fits = (e: EngineEvent): e is Extract<EngineEvent, { kind: K }> =>
    e.kind === kind && (slot === undefined || ('slot' in e && e.slot === slot))
  await until(() => events.some(fits))
  const at = events.findIndex(fits)
  return events.splice(0, at + 1)[at] as Extract<EngineEvent, { kind: K }>
}

const newSlot = (): number => {
  slots += 1
  return slots
}

function order(slot: number, what: Order, to: Pick<Engine, 'order'> = engine): number {
  generation += 1
  to.order([{ slot, generation, order: what }])
  return generation
}

/** Carries out a plan on a slot of no further meaning. */
async function carryOut(now: Plan): Promise<number> {
  const slot = newSlot()
  const link = engine.openLink(spec({ receiveBufferBytes: null }))
  engine.addSlot(slot, link, 200)
  order(slot, { kind: 'rest', now })
  await engine.flush()
  engine.removeSlot(slot)
  engine.closeLink(link)
  return slot
}

const spec = (over: Partial<LinkSpec> = {}): LinkSpec => ({
  family: 4,
  interface: 'va',
  ifindex,
  source: ours[4],
  group: groups[4],
  ttl: 255,
  filter: new Uint8Array(0),
  receiveBufferBytes: 65_536,
  ...over,
})

const repeat = (plan: Plan, everyMs: number): Repeat => ({
  key: 'advert',
  firstAfterUs: us(everyMs * 1000),
  everyUs: us(everyMs * 1000),
  plan,
})

const leadWith = (plan: Plan, over: Partial<Lead> = {}): Order => ({
  kind: 'lead',
  now: plan,
  repeats: [repeat(plan, 20)],
  resign: [],
  lateUs: us(60_000_000),
  ...over,
})

const empty: Lead = { now: [], repeats: [], resign: [], lateUs: us(1_000_000) }
const follow = (over: Partial<Extract<Order, { kind: 'follow' }>>, then = empty): Order => ({
  kind: 'follow',
  now: [],
  expect: null,
  deadlineUs: us(engine.now() + 60_000_000),
  restartUs: us(1_000_000),
  then,
  ...over,
})

const vip = (text: string, over: Partial<AddressSpec> = {}): AddressSpec => ({
  ifindex,
  address: address(text),
  prefixLength: ipFamily(address(text)) === 4 ? 32 : 128,
  peer: null,
  broadcast: null,
  label: null,
  scope: 0,
  home: false,
  nodad: true,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  preferredSeconds: null,
  validSeconds: null,
  ...over,
})
const add = (a: AddressSpec): Plan => [
  { kind: 'netlink', bytes: encodeAddressReplace(a), tolerate: [errno.EEXIST] },
]
const remove = (a: AddressSpec, tolerate: readonly number[] = [errno.EADDRNOTAVAIL]): Plan => [
  { kind: 'netlink', bytes: encodeAddressDelete(a), tolerate },
]

/** What ip(8) says is there. */
const held = (): readonly string[] =>
  (JSON.parse(ip('-j', 'address', 'show', 'dev', 'va')) as { addr_info: { local: string }[] }[])
    .flatMap((link) => link.addr_info)
    .map((info) => info.local)

for (const family of [4, 6] as const) {
  for (const cast of ['multicast', 'unicast'] as const) {
    test(`adverts over IPv${family} ${cast}: heard, then familiar and silent, then missed`, async () => {
      const multicast = cast === 'multicast'
      const group = multicast ? groups[family] : null
      const vrid = multicast ? 51 : 52
      const filter = vrrpFilter({ family, vrids: [vrid], multicast })
      const sending = await peer.call('openLink', {
        ...spec({ family, group, filter, source: theirs[family] }),
        interface: 'vb',
        ifindex: peerIfindex,
      })
      const to = group ?? ours[family]
      const link = engine.openLink(spec({ family, group, filter, source: ours[family] }))
      const slot = newSlot()
      engine.addSlot(slot, link, vrid)
      await peer.call('addSlot', slot, sending, vrid)
      const payload = Uint8Array.of(0x31, vrid, 100, 0, 0, 100, 0, 0)
      const generation = order(slot, follow({}))
      const leading: Order = leadWith([{ kind: 'datagram', link: sending, to, bytes: payload }])
      await peer.call('order', [{ slot, generation: 1, order: leading }])

      const heard = await next('heard', slot)
      assert.deepEqual(
        { ...heard, at: 0, count: 1 },
        { ...heard, generation, link, from: theirs[family], ttl: 255, payload, at: 0, count: 1 },
      )

      order(slot, follow({ expect: heard, deadlineUs: us(heard.at + 1_000_000) }))
      await engine.flush()
      events.length = 0
      const from = engine.counters(slot).received
      await until(() => engine.counters(slot).received >= from + 60)
      assert.deepEqual(events, [], 'sixty familiar adverts wake nobody')
      assert.ok((engine.counters(slot).lastFamiliarUs ?? 0) > heard.at)

      const goodbye = Uint8Array.of(0x31, vrid, 0, 0, 0, 100, 0, 0)
      const now: Plan = [{ kind: 'datagram', link: sending, to, bytes: goodbye }]
      await peer.call('order', [{ slot, generation: 2, order: { kind: 'rest', now } }])
      assert.deepEqual((await next('heard', slot)).payload, goodbye)
      const last = engine.counters(slot).lastFamiliarUs ?? 0
      const expired = await next('expired', slot)
      assert.equal(expired.deadlineUs, last + 1_000_000)
      assert.ok(expired.at >= expired.deadlineUs)
      assert.equal(engine.linkCounters(link).unclaimed, 0)
      order(slot, { kind: 'rest', now: [] })
      engine.removeSlot(slot)
      engine.closeLink(link)
    })
  }
}

test('the filter keeps out what is not ours, and can be changed while running', async () => {
  const vrids = [61]
  const filter = vrrpFilter({ family: 4, vrids, multicast: true })
  const link = engine.openLink(spec({ filter }))
  const slot = newSlot()
  engine.addSlot(slot, link, 62)
  order(slot, follow({}))
  const sending = await peer.call('openLink', {
    ...spec({ source: theirs[4] }),
    interface: 'vb',
    ifindex: peerIfindex,
  })
  await peer.call('addSlot', slot, sending, 62)
  const bytes = Uint8Array.of(0x21, 62, 100, 0)
  const plan: Plan = [{ kind: 'datagram', link: sending, to: groups[4], bytes }]
  await peer.call('order', [{ slot, generation: 1, order: leadWith(plan) }])
  await until(async () => (await peer.call('counters', slot)).sent >= 10)
  assert.equal(engine.linkCounters(link).received, 0)
  engine.setFilter(link, vrrpFilter({ family: 4, vrids: [62], multicast: true }))
  assert.deepEqual((await next('heard', slot)).payload, bytes)
  assert.throws(() => engine.setFilter(link, new Uint8Array(8).fill(255)), { code: 'EINVAL' })

  // A thousand equal packets at once: a few events with a count, and none lost on the way.
  order(slot, { kind: 'rest', now: [] })
  await peer.call('order', [{ slot, generation: 2, order: { kind: 'rest', now: [] } }])
  await engine.flush()
  order(slot, follow({}))
  await engine.flush()
  events.length = 0
  const flood = Array.from({ length: 1000 }, () => plan[0] ?? assert.fail())
  const before = engine.linkCounters(link).received
  await peer.call('order', [{ slot, generation: 3, order: { kind: 'also', now: flood } }])
  await until(async () => (await peer.call('counters', slot)).sent >= 1000)
  await until(() => engine.linkCounters(link).received - before >= 100)
  await engine.flush()
  const raised = events.filter((e) => e.kind === 'heard')
  const heardCount = raised.reduce((n, e) => n + e.count, 0)
  assert.ok(raised.length < heardCount / 2, `${raised.length} events for ${heardCount} packets`)
  engine.removeSlot(slot)
  engine.closeLink(link)
})

test('addresses are really added and deleted, and plans are idempotent', async () => {
  const four = vip('10.9.7.1', { label: 'va:vip' })
  const six = vip('fd00::7')
  events.length = 0
  await carryOut([...add(four), ...add(six), ...add(four)])
  assert.deepEqual(
    held().filter((a) => a === '10.9.7.1' || a === 'fd00::7'),
    ['10.9.7.1', 'fd00::7'],
  )
  await carryOut([...remove(four), ...remove(six), ...remove(four)])
  assert.deepEqual(
    held().filter((a) => a === '10.9.7.1' || a === 'fd00::7'),
    [],
  )
  assert.deepEqual(
    events.filter((e) => e.kind === 'failed'),
    [],
  )
})

test('hundreds of addresses in one plan', async () => {
  const many = Array.from({ length: 600 }, (_, i) => vip(`10.10.${i >> 8}.${i & 255}`))
  await carryOut(many.flatMap(add))
  assert.equal(held().filter((a) => a.startsWith('10.10.')).length, 600)
  await carryOut(many.flatMap((a) => remove(a)))
  assert.equal(held().filter((a) => a.startsWith('10.10.')).length, 0)
})

test('what the kernel refuses is told in its own words', async () => {
  events.length = 0
  const slot = await carryOut([
    ...add(vip('10.9.7.2')),
    ...remove(vip('10.9.7.3'), []),
    ...remove(vip('10.9.7.2'), []),
    ...add(vip('10.9.7.4', { ifindex: 9999 })),
    ...add(vip('10.9.7.5', { prefixLength: 33 })),
  ])
  const failed = events.flatMap((e) => (e.kind === 'failed' && e.slot === slot ? [e] : []))
  assert.deepEqual(
    failed.map((e) => [e.step, e.stepKind, e.call, e.code]),
    [
      [1, 'netlink', 'RTM_DELADDR', 'EADDRNOTAVAIL'],
      [3, 'netlink', 'RTM_NEWADDR', 'ENODEV'],
      [4, 'netlink', 'RTM_NEWADDR', 'EINVAL'],
    ],
  )
  const texts = failed.map((e) => e.detail)
  assert.match(texts[0] ?? '', /address not found/i)
  assert.match(texts[2] ?? '', /prefix length/i)
})

test('the kernel tells of addresses and links, and answers dumps', async () => {
  await engine.flush()
  events.length = 0
  ip('address', 'add', '10.9.8.1/32', 'dev', 'va')
  ip('link', 'set', 'dev', 'va', 'alias', 'changed')
  const told = () =>
    events.flatMap((e) => (e.kind === 'kernel' ? decodeMessages(e.bytes) : [])).map((m) => m.kind)
  await until(() => told().includes('newaddr') && told().includes('newlink'))
  ip('address', 'del', '10.9.8.1/32', 'dev', 'va')
  await until(() => told().includes('deladdr'))

  const links = decodeMessages(engine.request(encodeLinkDump()))
  assert.deepEqual(
    links.flatMap((m) => (m.kind === 'newlink' ? [m.link.name] : [m.kind])),
    ['lo', 'va'],
  )
  const addresses = decodeMessages(engine.request(encodeAddressDump()))
  assert.ok(addresses.some((m) => m.kind === 'newaddr' && m.address.address === ours[4]))
  assert.throws(
    () => engine.request(encodeAddressDelete(vip('10.9.8.9'))),
    (error) =>
      error instanceof OpError && error.op === 'RTM_DELADDR' && error.code === 'EADDRNOTAVAIL',
  )
})

test('a gratuitous ARP frame is on the wire as it was given', async () => {
  const seen = spawn('tcpdump', ['-Z', 'root', '-lnxxi', 'va', '-c', '1', 'arp and host 10.9.7.9'])
  let out = ''
  let said = ''
  seen.stdout.on('data', (text) => {
    out += text
  })
  seen.stderr.on('data', (text) => {
    said += text
  })
  await until(() => said.includes('listening on'))
  const bytes = encodeGratuitousArp(Uint8Array.of(2, 0, 0, 0, 0, 9), address('10.9.7.9'))
  await carryOut([{ kind: 'frame', ifindex, bytes }])
  await new Promise((resolve) => seen.on('exit', resolve))
  const shown =
    out
      .match(/\t0x.*/g)
      ?.join('')
      .replace(/\t0x\w+:|\s/g, '') ?? ''
  assert.equal(shown, Buffer.from(bytes).toString('hex'))
})

test('sockets that cannot be opened say which call failed', () => {
  const cases: readonly [Partial<LinkSpec>, string, string][] = [
    [{ interface: 'nowhere' }, 'setsockopt(SO_BINDTODEVICE)', 'ENODEV'],
    [{ ifindex: 9999 }, 'setsockopt(IP_ADD_MEMBERSHIP)', 'ENODEV'],
    [{ source: address('192.0.2.1') }, 'bind', 'EADDRNOTAVAIL'],
    [{ filter: new Uint8Array(8).fill(255) }, 'setsockopt(SO_ATTACH_FILTER)', 'EINVAL'],
    [
      { family: 6, source: ours[6], group: address('fe80::1') },
      'setsockopt(IPV6_JOIN_GROUP)',
      'EINVAL',
    ],
  ]
  for (const [over, op, code] of cases) {
    assert.throws(
      () => engine.openLink(spec(over)),
      (error) => {
        assert.ok(error instanceof OpError)
        assert.deepEqual([error.op, error.code], [op, code])
        return true
      },
    )
  }
})

test('an IPv6 source that is still tentative does not hold up the link', () => {
  ip('address', 'add', 'fe80::dad/64', 'dev', 'va')
  const source = address('fe80::dad')
  engine.closeLink(engine.openLink(spec({ family: 6, source, group: groups[6] })))
})

test('a main thread that hangs: the lead resigns, a follow keeps silent', async () => {
  const seen: EngineEvent[] = []
  const livenessUs = us(200_000)
  const { engine: leased } = startEngine({ ...quiet, livenessUs }, (batch) => seen.push(...batch))
  const link = leased.openLink(spec())
  leased.addSlot(1, link, 71)
  leased.addSlot(2, link, 72)
  const sent: Plan = [{ kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 71) }]
  leased.renew()
  leased.order([
    { slot: 1, generation: 7, order: leadWith(sent, { resign: add(vip('10.9.7.7')) }) },
    { slot: 2, generation: 8, order: follow({ deadlineUs: us(leased.now() + 300_000) }) },
  ])
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  Atomics.wait(asleep, 0, 0, 500)
  assert.ok(held().includes('10.9.7.7'), 'the resign plan was carried out while we hung')
  // The first thing that a thawed thread does is to refresh its lead: it must not go on leading.
  leased.order([{ slot: 1, generation: 9, order: leadWith(sent) }])
  const sentBefore = leased.counters(1).sent
  await until(() => seen.filter((e) => e.kind === 'lapsed').length === 2)
  assert.deepEqual(
    seen.flatMap((e) => ('generation' in e ? [[e.kind, e.generation]] : [])),
    [
      ['lapsed', 7],
      ['lapsed', 9],
    ],
  )
  assert.equal(leased.counters(1).sent, sentBefore)
  leased.stop()
  await carryOut(remove(vip('10.9.7.7')))
})

test('a stopped process that leads resigns when it goes on', async () => {
  const link = await peer.call('openLink', {
    ...spec({ source: theirs[4] }),
    interface: 'vb',
    ifindex: peerIfindex,
  })
  const slot = newSlot()
  await peer.call('addSlot', slot, link, 81)
  const plan: Plan = [{ kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 81) }]
  const generation = 1
  await peer.call('events')
  const order = leadWith(plan, { lateUs: us(100_000) })
  await peer.call('order', [{ slot, generation, order }])
  await until(async () => (await peer.call('counters', slot)).sent > 3)
  peer.signal('SIGSTOP')
  await delay(400)
  peer.signal('SIGCONT')
  let late: EngineEvent | undefined
  await until(async () => {
    const raised = await peer.call('events')
    late = raised.find((e) => e.kind === 'late')
    return late !== undefined
  })
  assert.ok(late?.kind === 'late' && late.slot === slot && late.lateUs > 100_000)
})

test('an interface that goes away: failures are told, once, and nothing breaks', async () => {
  ip('link', 'add', 'name', 'gone', 'type', 'veth', 'peer', 'name', 'gone2')
  ip('link', 'set', 'dev', 'gone', 'up')
  ip('link', 'set', 'dev', 'gone2', 'up')
  ip('address', 'add', '10.8.0.1/24', 'dev', 'gone')
  const index = ifindexIn(ip('-o', 'link', 'show', 'dev', 'gone'))
  const link = engine.openLink(
    spec({ interface: 'gone', ifindex: index, source: address('10.8.0.1') }),
  )
  const slot = newSlot()
  engine.addSlot(slot, link, 90)
  const plan: Plan = [
    { kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 90) },
    ...add(vip('10.8.0.9', { ifindex: index })),
    { kind: 'frame', ifindex: index, bytes: new Uint8Array(60) },
  ]
  order(slot, leadWith(plan))
  await until(() => engine.counters(slot).sent > 2)
  events.length = 0
  ip('link', 'del', 'dev', 'gone')
  await next('linkFailed')
  await until(() => events.filter((e) => e.kind === 'failed').length >= 3)
  const calls = events.flatMap((e) => (e.kind === 'failed' ? [`${e.call} ${e.code}`] : []))
  assert.ok(calls.includes('RTM_NEWADDR ENODEV'), calls.join())
  events.length = 0
  const now = engine.now()
  await until(() => engine.now() > now + 200_000)
  assert.deepEqual(
    events.filter((e) => e.kind !== 'kernel'),
    [],
    'the same failures are no news',
  )
  order(slot, { kind: 'rest', now: plan })
  await engine.flush()
  engine.removeSlot(slot)
  engine.closeLink(link)
})

test('a mass take-over: one batch, and the adverts of others go on meanwhile', async () => {
  const link = engine.openLink(
    spec({ filter: vrrpFilter({ family: 4, vrids: [1], multicast: true }) }),
  )
  const bytes = Uint8Array.of(0x21, 1, 100, 0)
  const advert: Plan = [{ kind: 'datagram', link, to: groups[4], bytes }]
  const deadlineUs = us(engine.now() + 300_000)
  const own = Array.from({ length: 200 }, () => newSlot())
  const addresses = own.map((_, i) => [0, 1, 2].map((k) => vip(`10.11.${i}.${k}`)))
  for (const [i, slot] of own.entries()) engine.addSlot(slot, link, i + 1)
  const leadOf = (i: number): Lead => ({
    ...empty,
    now: [...advert, ...(addresses[i] ?? []).flatMap(add)],
    repeats: [repeat(advert, 10)],
    lateUs: us(5_000_000),
  })
  engine.order(
    own.map((slot, i) => ({ slot, generation: 1, order: follow({ deadlineUs }, leadOf(i)) })),
  )
  events.length = 0
  const expiries = () => events.flatMap((e) => (e.kind === 'expired' ? [e] : []))
  await until(() => expiries().length === own.length, 20_000)
  const firstAt = expiries().map((e) => e.at)
  const spreadUs = Math.max(...firstAt) - deadlineUs
  assert.ok(spreadUs < 150_000, `the last advert of 200 went out ${spreadUs} µs after the deadline`)
  assert.equal(held().filter((a) => a.startsWith('10.11.')).length, 600)
  engine.order(
    own.map((slot, i) => ({
      slot,
      generation: 2,
      order: { kind: 'rest', now: (addresses[i] ?? []).flatMap((a) => remove(a)) },
    })),
  )
  await engine.flush()
  assert.equal(held().filter((a) => a.startsWith('10.11.')).length, 0)
  engine.closeLink(link)
})

test('stop is harmless twice, drops what waits, and refuses what comes after', async () => {
  const { engine: short, start } = startEngine({ ...quiet, realtimePriority: 1 }, () => undefined)
  assert.equal(typeof start.realtime, 'boolean')
  assert.equal(start.realtime, start.notes.length === 0)
  const flushed = short.flush()
  short.stop()
  short.stop()
  await assert.rejects(flushed, /stopped/)
  assert.throws(() => short.renew(), /stopped/)
})

test('a worker that is terminated takes its engine with it', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData).then(({ startEngine }) => {
      const options = { realtimePriority: 0, rttimeUs: 0, lockMemory: false, livenessUs: 0 }
      const { engine } = startEngine(options, () => undefined)
      engine.flush().then(() => parentPort.postMessage('up'))
    })`
  const native = new URL('../../src/engine/native.js', import.meta.url).href
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(code, { eval: true, workerData: native })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
  }
})

/** Deadlines are kept while JavaScript is busy: nothing here waits for the main thread. */
test('a deadline is met while the main thread computes', async () => {
  const link = engine.openLink(spec())
  const slot = newSlot()
  engine.addSlot(slot, link, 99)
  const bytes = Uint8Array.of(0x21, 99, 1, 0)
  const deadlineUs: Us = us(engine.now() + 50_000)
  const now: Plan = [{ kind: 'datagram', link, to: groups[4], bytes }]
  order(slot, follow({ deadlineUs }, { ...empty, now }))
  while (engine.now() < deadlineUs + 200_000);
  const expired = await next('expired', slot)
  assert.ok(expired.at - deadlineUs < 100_000, `${expired.at - deadlineUs} µs late`)
  assert.ok(expired.doneAt >= expired.at)
  engine.removeSlot(slot)
  engine.closeLink(link)
})
