/** `vipd_address_claim`: frames in which another machine claims an address of a master, and what it does about them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { macOctets } from '../../../src/base/mac.ts'
import { us } from '../../../src/base/time.ts'
import type { Instance } from '../../../src/config/types.ts'
import type { EngineEvent, Order, Step } from '../../../src/engine/contract.ts'
import type { Happening } from '../../../src/report/event.ts'
import { describeClaim } from '../../../src/router/claims/describe.ts'
import { decodeArp, encodeGratuitousArp } from '../../../src/wire/arp.ts'
import { encodeUnsolicitedNa } from '../../../src/wire/ndp.ts'
import { encodeAdvert } from '../../../src/wire/vrrp.ts'
import { passes } from '../wire/bpf-machine.ts'
import { arpFrame, ndFrame, noIp, zeroIp } from '../wire/claim-frames.ts'
import { instance, ip, virtualAddress } from './facts.ts'
import { config, Stage } from './reload/stage.ts'

const second = 1_000_000
const vip = ip('172.16.80.100')
const other = ip('172.16.80.7')
const arp = 0x0806
const nd = 0x86dd
const mac = '02:00:00:00:00:99'
const own = '02:00:00:00:00:03'

const one = (more: Partial<Instance> = {}): Instance =>
  instance({ name: 'V1', vrid: 51, priority: 150, advertIntervalUs: us(second), ...more })

const gratuitous = (from = mac, address = vip): Uint8Array =>
  encodeGratuitousArp(macOctets(from), address)

type Claimed = Happening & { readonly kind: 'claim' }

/** V1 has led for so long. */
class Segment {
  readonly stage = new Stage()

  constructor(instances: Instance | readonly Instance[], ageSeconds = 10) {
    this.stage.apply(config([instances].flat()))
    this.stage.expireAll()
    this.stage.settle()
    this.after(ageSeconds)
    this.announced()
  }

  get now(): number {
    return this.stage.engine.time
  }

  after(seconds: number): void {
    const untilUs = this.now + seconds * second
    for (;;) {
      const due = this.stage.dispatcher.claims.dueAt(us(this.now))
      if (due === null || due > untilUs) break
      this.#at(Math.max(due, this.now))
    }
    this.#at(untilUs)
  }

  hears(frame: Uint8Array, { on = 3, protocol = arp, count = 1 } = {}): void {
    const watch = this.stage.frames.on(on, protocol)
    assert.ok(watch !== undefined, `nothing is watched on ${on}`)
    this.stage.dispatcher.onFrames([{ watch: watch.watch, at: us(this.now), count, bytes: frame }])
  }

  /** A frame of this host leaves it; unheard where that is not listened to. */
  sends(frame: Uint8Array, { on = 3, protocol = arp } = {}): void {
    const watch = this.stage.frames.on(on, protocol, 'sent')
    if (watch === undefined) return
    const heard = { watch: watch.watch, at: us(this.now), count: 1, bytes: frame }
    this.stage.dispatcher.onFrames([heard])
  }

  /** Interfaces on which it is listened to what leaves. */
  get looks(): readonly number[] {
    const watches = [...this.stage.frames.watches.values()]
    return watches.filter(({ direction }) => direction === 'sent').map(({ ifindex }) => ifindex)
  }

  get claims(): readonly string[] {
    return this.stage.happened
      .filter((it): it is Claimed => it.kind === 'claim')
      .map((it) => `${it.instance} ${it.address} ${it.mac} ${it.how} ${it.interface}`)
  }

  /** Addresses that were announced since it was asked last. */
  announced(): readonly string[] {
    const all = this.stage.engine.onces.splice(0)
    return all.flatMap(({ order }) => order.now.flatMap(announcedIn))
  }

  #at(timeUs: number): void {
    this.stage.engine.time = timeUs
    this.stage.dispatcher.tick()
  }
}

const announcedIn = (step: Step): readonly string[] => {
  if (step.kind !== 'frame') return []
  const decoded = decodeArp(step.bytes)
  return decoded.ok ? [decoded.value.sender] : ['?']
}

/** Of another master, to V1. */
function advert(stage: Stage, priority: number): EngineEvent {
  const { slot, cfg, orders } = stage.named('V1')
  const [source, group] = [ip('10.0.0.9'), ip('224.0.0.18')]
  const payload = encodeAdvert({
    ...{
      version: cfg.version,
      family: 4,
      vrid: cfg.vrid,
      priority,
      intervalUs: cfg.advertIntervalUs,
    },
    ...{ addresses: [vip], password: null, source, destination: group, checksumAsV2: false },
  })
  const { link = 1 } = stage.engine.slots.get(slot) ?? {}
  const { generation } = orders
  const at = us(stage.engine.time)
  return { kind: 'packet', link, slot, generation, from: source, ttl: 255, payload, at, count: 1 }
}

const named = 'V1 172.16.80.100 02:00:00:00:00:99 announced eth0'

describe('what is watched', () => {
  test('the addresses of a master, from its take-over to its end, and no others', () => {
    const stage = new Stage()
    stage.apply(config([one()]))
    stage.settle()
    assert.deepEqual([...stage.frames.watches], [], 'a backup watches nothing')
    stage.expireAll()
    stage.settle()
    const watch = stage.frames.on(3, arp)
    assert.ok(watch !== undefined && stage.frames.watches.size === 1)
    assert.ok(passes(watch.filter, gratuitous()))
    assert.ok(!passes(watch.filter, gratuitous(mac, other)))
    stage.engine.time = 10
    stage.dispatcher.tick()
    stage.engine.time += second
    stage.dispatcher.stop()
    assert.deepEqual([...stage.frames.watches], [])
  })

  test('a reload changes the filter; what is not concerned keeps its socket', () => {
    const segment = new Segment(one())
    const { stage } = segment
    const before = stage.frames.opened
    const more = [virtualAddress('172.16.80.100'), virtualAddress('172.16.80.7')]
    stage.apply(config([one({ addresses: more })]))
    segment.after(0.01)
    const watch = stage.frames.on(3, arp)
    assert.ok(watch !== undefined && passes(watch.filter, gratuitous(mac, other)))
    assert.equal(stage.frames.opened, before)
    stage.apply(config([one({ addressClaim: 'off' })]))
    segment.after(0.01)
    assert.deepEqual([...stage.frames.watches], [])
    stage.apply(config([one({ addressClaim: 'report' })]))
    segment.after(0.01)
    assert.equal(stage.frames.watches.size, 1)
  })

  test('excluded addresses, those of the other family and those on another interface', () => {
    const { stage } = new Segment(
      one({
        addresses: [{ ...virtualAddress('172.16.80.100'), interface: 'eth1' }],
        excluded: [virtualAddress('fd00::100')],
      }),
    )
    assert.deepEqual(
      [...stage.frames.watches.values()].map((it) => [it.ifindex, it.protocol]),
      [
        [4, arp],
        [3, nd],
      ],
    )
  })
})

describe('another machine', () => {
  test('is reported after an advert interval, and the address announced once', () => {
    const segment = new Segment(one())
    segment.hears(gratuitous())
    assert.deepEqual(segment.claims, [])
    segment.after(1.2)
    assert.deepEqual([segment.claims, segment.announced()], [[], []])
    segment.after(0.2)
    assert.deepEqual([segment.claims, segment.announced()], [[named], [vip]])
    const past = segment.stage.named('V1').claimants.past.map(({ at: _wall, ...rest }) => rest)
    const known = { address: vip, mac, how: 'announced', sameMac: false, interface: 'eth0' }
    assert.deepEqual(past, [known])
    for (let i = 0; i < 600; i++) {
      segment.hears(gratuitous())
      segment.after(1)
    }
    assert.deepEqual([segment.claims, segment.announced()], [[named], []])
    const [claimant] = segment.stage.named('V1').claimants.at(us(segment.now))
    assert.equal(claimant?.count, 601)
  })

  test('report: nothing is announced; defend: at most once in 10 s, then ever more rarely', () => {
    const silent = new Segment(one({ addressClaim: 'report' }))
    silent.hears(gratuitous())
    silent.after(5)
    assert.deepEqual([silent.claims, silent.announced()], [[named], []])
    const defended = new Segment(one({ addressClaim: 'defend' }))
    const times: number[] = []
    for (let i = 0; i < 1_000; i++) {
      defended.hears(gratuitous())
      defended.after(1)
      if (defended.announced().length > 0) times.push(i)
    }
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    assert.deepEqual(gaps, [10, 20, 40, 80, 160, 300, 300])
    assert.deepEqual(defended.claims, [named])
  })

  test('each way to claim; what is asked or answered has misled no client', () => {
    const six = { protocol: nd }
    const vip6 = ip('fd00::100')
    const cases = [
      [arpFrame({ operation: 1, mac, sender: vip, target: other }), {}, 'used', true],
      [arpFrame({ operation: 2, mac, sender: vip, target: other, to: own }), {}, 'answered', false],
      // A Linux router with proxy_arp answers an announcement so: the one that follows would be answered as well.
      [arpFrame({ operation: 2, mac, sender: vip, target: vip, to: own }), {}, 'answered', false],
      [arpFrame({ operation: 1, mac, sender: zeroIp, target: vip }), {}, 'probed', false],
      [encodeUnsolicitedNa(macOctets(mac), vip6, false), six, 'announced', true],
      [ndFrame({ type: 'solicitation', mac, source: noIp, target: vip6 }), six, 'probed', false],
    ] as const
    for (const [frame, options, how, announced] of cases) {
      const segment = new Segment(one({ excluded: [virtualAddress('fd00::100')] }))
      segment.hears(frame, options)
      segment.after(2)
      assert.equal(segment.claims.length, 1, how)
      assert.match(segment.claims[0] ?? '', new RegExp(` ${how} eth0$`))
      assert.equal(segment.announced().length, announced ? 1 : 0, how)
    }
  })

  test('is reported again after a minute of silence, and announced again after twenty', () => {
    const segment = new Segment(one())
    segment.hears(gratuitous())
    segment.after(2)
    assert.equal(segment.announced().length, 1)
    segment.after(70)
    assert.deepEqual(segment.stage.named('V1').claimants.at(us(segment.now)), [])
    segment.hears(gratuitous())
    segment.after(2)
    assert.deepEqual([segment.claims.length, segment.announced().length], [2, 0])
    segment.after(1_300)
    segment.hears(gratuitous())
    segment.after(2)
    assert.deepEqual([segment.claims.length, segment.announced().length], [3, 1])
  })

  test('any number of made-up machines: bounded reports, announcements and memory', () => {
    const segment = new Segment(one({ addressClaim: 'defend' }))
    for (let i = 0; i < 2_000; i++) {
      segment.hears(gratuitous(`02:00:00:01:${(i >> 8).toString(16)}:${(i & 255).toString(16)}`))
      segment.after(0.05)
    }
    const { claimants } = segment.stage.named('V1')
    assert.ok(segment.claims.length <= 16, `${segment.claims.length} reports in 100 s`)
    assert.ok(segment.announced().length <= 13, 'announcements in 100 s')
    assert.equal(claimants.at(us(segment.now)).length <= 64, true)
    assert.equal(claimants.counts.frames, 2_000)
  })
})

describe('no claim', () => {
  test('our own frames, reflected; another address; what comes when it leads no more', () => {
    const segment = new Segment(one())
    segment.hears(gratuitous(own))
    segment.hears(gratuitous(mac, other))
    segment.after(5)
    segment.hears(gratuitous())
    segment.stage.dispatcher.onEngine([advert(segment.stage, 200)])
    segment.after(5)
    assert.equal(segment.stage.named('V1').state.kind, 'backup')
    assert.deepEqual([segment.claims, segment.announced()], [[], []])
  })

  test('the last announcements of the master before; a lower master that is heard', () => {
    const segment = new Segment(one(), 0.5)
    segment.hears(gratuitous())
    segment.after(10)
    assert.deepEqual(segment.claims, [])
    segment.hears(gratuitous())
    segment.after(0.5)
    segment.stage.dispatcher.onEngine([advert(segment.stage, 20)])
    segment.after(2)
    assert.deepEqual(segment.claims, [])
  })
})

describe('a MAC address of this host', () => {
  const asks = (n: number): Uint8Array =>
    arpFrame({ operation: 1, mac: own, sender: vip, target: ip(`172.16.80.${n}`) })

  test('another machine has it: reported as such from its second frame, and never announced against', () => {
    const segment = new Segment(one({ addressClaim: 'defend' }))
    segment.hears(gratuitous(own))
    assert.deepEqual([segment.claims, segment.looks], [[], [3]])
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    for (let i = 0; i < 60; i++) {
      segment.hears(gratuitous(own))
      segment.after(1.5)
    }
    assert.deepEqual(segment.claims, [`V1 172.16.80.100 ${own} announced eth0`])
    assert.deepEqual(segment.announced(), [])
    const [event] = segment.stage.happened.filter((it): it is Claimed => it.kind === 'claim')
    assert.equal(event?.sameMac, true)
    const [claimant] = segment.stage.named('V1').claimants.at(us(segment.now))
    assert.deepEqual([claimant?.sameMac, claimant?.count], [true, 60])
    assert.ok(claimant !== undefined)
    assert.match(describeClaim(claimant, 0), /another machine with the MAC address of this host/)
  })

  test('what this host has sent within a second is its own, for as long as it comes back', () => {
    const segment = new Segment(one({ addressClaim: 'defend' }))
    for (let i = 0; i < 100; i++) {
      const frame = i % 3 === 0 ? gratuitous(own) : asks(i)
      segment.sends(frame)
      segment.after(0.002)
      segment.hears(frame)
      segment.after(i % 2 === 0 ? 0.3 : 3)
    }
    assert.deepEqual([segment.claims, segment.announced()], [[], []])
  })

  test('a frame that is read before the one that it is a copy of', () => {
    const segment = new Segment(one())
    segment.hears(asks(7))
    segment.after(5)
    segment.hears(asks(8))
    segment.sends(asks(8))
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    segment.sends(asks(9))
    segment.hears(asks(10))
    segment.after(5)
    assert.equal(segment.claims.length, 1, 'but another one than was sent is another machine’s')
  })

  test('it listens no more after three of its own, for a minute, and ever more rarely; nor after five minutes of silence', () => {
    const segment = new Segment(one())
    const reflected = (times: number): void => {
      for (let i = 0; i < times; i++) {
        segment.sends(asks(i))
        segment.hears(asks(i))
        segment.after(1)
      }
    }
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    reflected(4)
    assert.deepEqual(segment.looks, [])
    reflected(50)
    assert.deepEqual(segment.looks, [], 'within a minute')
    segment.after(20)
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    reflected(4)
    segment.after(70)
    reflected(1)
    assert.deepEqual(segment.looks, [], 'two minutes now')
    segment.after(60)
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    segment.after(301)
    assert.deepEqual([segment.looks, segment.claims], [[], []])
  })

  test('cannot be told: more is sent than is seen, a loop, what is for one alone', () => {
    const segment = new Segment(one())
    segment.hears(asks(1))
    segment.after(2)
    for (let i = 0; i < 8; i++) segment.sends(asks(20 + i))
    segment.after(1)
    segment.hears(asks(2))
    segment.after(5)
    segment.hears(asks(3), { count: 40 })
    segment.hears(arpFrame({ operation: 1, mac: own, sender: vip, target: other, to: mac }))
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    segment.hears(asks(4))
    segment.after(5)
    assert.equal(segment.claims.length, 1)
  })

  test('it listens where the address is and no longer than it leads', () => {
    const segment = new Segment(one())
    segment.hears(gratuitous(own))
    assert.deepEqual(segment.looks, [3])
    segment.stage.dispatcher.onEngine([advert(segment.stage, 200)])
    segment.after(0.1)
    assert.deepEqual([...segment.stage.frames.watches], [])
  })
})

test('what is known goes on in another process', () => {
  const segment = new Segment(one({ addressClaim: 'defend' }))
  segment.hears(gratuitous())
  segment.after(2)
  segment.hears(gratuitous())
  const state: unknown = JSON.parse(JSON.stringify(segment.stage.dispatcher.state()))
  const after = new Stage(config([one({ addressClaim: 'defend' })]))
  after.engine.time = segment.now
  assert.equal(after.dispatcher.adopt(state), null)
  assert.equal(after.frames.watches.size, 1)
  const { claimants } = after.named('V1')
  assert.deepEqual(claimants.snapshot(), segment.stage.named('V1').claimants.snapshot())
  assert.equal(claimants.at(us(segment.now))[0]?.count, 2)
})

describe('asked before a take-over', () => {
  const asking = (more: Partial<Instance> = {}): Instance => one({ claimCheck: 'always', ...more })
  const answer = arpFrame({ operation: 2, mac, sender: vip, target: zeroIp, to: own })

  /** A backup, so long before its deadline, in µs. */
  function backup(more: Partial<Instance>, leftUs: number) {
    const stage = new Stage()
    stage.apply(config([asking(more)]))
    stage.settle()
    const it = stage.named('V1')
    const follow = (): Order & { readonly kind: 'follow' } => {
      const standing: Order | undefined = stage.engine.standing.get(it.slot)?.order
      assert.ok(standing?.kind === 'follow')
      return standing
    }
    const { deadlineUs, restartUs } = follow()
    stage.engine.time = deadlineUs - leftUs
    const hears = (frame: Uint8Array, at = us(stage.engine.time)): void => {
      const watch = stage.frames.on(3, arp)
      assert.ok(watch !== undefined)
      stage.dispatcher.onFrames([{ watch: watch.watch, at, count: 1, bytes: frame }])
    }
    const claims = () => stage.happened.filter(({ kind }) => kind === 'claim').length
    return { stage, it, follow, hears, claims, deadlineUs, restartUs }
  }

  test('the question is in the order: by whom, when, and not before the take-over from a lower master', () => {
    const { stage, it, follow } = backup({}, 19_000)
    const { ask } = follow()
    assert.equal(ask?.beforeUs, 20_000)
    const [step] = ask?.plan ?? []
    const probe = step?.kind === 'frame' ? decodeArp(step.bytes) : null
    assert.ok(probe?.ok && probe.value.sender === zeroIp && probe.value.target === vip)
    stage.dispatcher.onEngine([advert(stage, 20)])
    assert.equal(it.state.kind, 'backup')
    assert.equal(follow().ask, undefined)
    assert.deepEqual([...stage.frames.watches], [], 'and no answer is heard')
  })

  test('start: before the first take-over alone', () => {
    const { stage, follow } = backup({ claimCheck: 'start' }, second)
    assert.ok(follow().ask !== undefined)
    stage.expireAll()
    stage.dispatcher.onEngine([advert(stage, 200)])
    assert.equal(follow().ask, undefined)
    const always = backup({}, second)
    always.stage.expireAll()
    always.stage.dispatcher.onEngine([advert(always.stage, 200)])
    assert.ok(always.follow().ask !== undefined)
  })

  test('warn: an answer is told once, and the deadline stands; what comes before the question is none', () => {
    const { stage, follow, hears, claims, deadlineUs } = backup({}, second)
    hears(answer)
    assert.equal(claims(), 0)
    stage.engine.time = deadlineUs - 19_000
    hears(arpFrame({ operation: 1, mac, sender: zeroIp, target: vip }))
    assert.equal(claims(), 0, 'another one that asks')
    hears(answer)
    hears(answer)
    assert.equal(claims(), 1)
    assert.equal(follow().deadlineUs, deadlineUs)
  })

  test('an answer with a MAC address of this host: a second router with the virtual MAC address', () => {
    const { stage, claims, hears, deadlineUs } = backup({}, second)
    stage.engine.time = deadlineUs - 19_000
    hears(arpFrame({ operation: 1, mac: own, sender: zeroIp, target: vip }))
    assert.equal(claims(), 0)
    hears(arpFrame({ operation: 2, mac: own, sender: vip, target: zeroIp, to: mac }))
    assert.equal(claims(), 1)
  })

  test('what a master announced before it resigned answers no question, however long before the deadline one is asked', () => {
    const { stage, it, hears, claims } = backup(
      { claimPolicy: 'refuse', claimCheckUs: us(2 * second) },
      0,
    )
    stage.dispatcher.onEngine([advert(stage, 200)])
    stage.engine.time += 40_000
    const announced = us(stage.engine.time - 20_000)
    stage.dispatcher.onEngine([advert(stage, 0)])
    hears(answer, announced)
    assert.equal(it.state.kind, 'backup')
    assert.equal(claims(), 0)
    stage.engine.time += 1_000
    hears(answer)
    assert.equal(it.state.kind, 'fault')
  })

  test('wait: until there is no answer, asked ever more rarely, at most a down interval', () => {
    const { stage, follow, hears, deadlineUs, restartUs } = backup({ claimPolicy: 'wait' }, 19_000)
    hears(answer)
    assert.equal(follow().deadlineUs, deadlineUs + 21_000)
    const spans: number[] = []
    for (;;) {
      const before = follow().deadlineUs
      stage.engine.time = before - 1_000
      hears(answer)
      hears(answer)
      const after = follow().deadlineUs
      if (after === before) break
      spans.push(after - stage.engine.time)
    }
    assert.deepEqual(spans.slice(0, 4), [80_000, 160_000, 320_000, 640_000])
    const waited = follow().deadlineUs - deadlineUs
    assert.ok(waited >= restartUs - second && waited <= restartUs + second, `${waited}`)
    stage.expireAll()
    assert.equal(stage.named('V1').state.kind, 'master')
  })

  test('refuse: FAULT that names the machine, and another try after 10 s, then 20 s', () => {
    const { stage, it, follow, hears, claims } = backup({ claimPolicy: 'refuse' }, 19_000)
    const state = (): string => it.state.kind
    hears(answer)
    assert.equal(state(), 'fault')
    assert.equal(claims(), 1)
    assert.match(it.journal.why, /172\.16\.80\.100 .*02:00:00:00:00:99 on eth0/)
    for (const seconds of [10, 20]) {
      stage.engine.time += seconds * second - 1
      stage.dispatcher.tick()
      assert.equal(state(), 'fault')
      stage.engine.time += 1
      stage.dispatcher.tick()
      assert.equal(state(), 'backup')
      stage.engine.time = follow().deadlineUs - 10_000
      hears(answer)
      assert.equal(state(), 'fault')
    }
  })
})
