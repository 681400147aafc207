/** `vipd_address_claim`: frames in which another machine claims an address of a master, and what it does about them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { macOctets } from '../../../src/base/mac.ts'
import { us } from '../../../src/base/time.ts'
import { encodeUnsolicitedNa } from '../../../src/wire/ndp.ts'
import { passes } from '../wire/bpf-machine.ts'
import { arpFrame, ndFrame, noIp, zeroIp } from '../wire/claim-frames.ts'
import {
  advert,
  arp,
  gratuitous,
  mac,
  nd,
  one,
  other,
  own,
  Segment,
  second,
  vip,
} from './claim-segment.ts'
import { ip, virtualAddress } from './facts.ts'
import { config, Stage } from './reload/stage.ts'

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
    assert.ok(passes(watch.filter, gratuitous(), { ifindex: watch.ifindex }))
    assert.ok(!passes(watch.filter, gratuitous(mac, other), { ifindex: watch.ifindex }))
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
    assert.ok(
      watch !== undefined &&
        passes(watch.filter, gratuitous(mac, other), { ifindex: watch.ifindex }),
    )
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
    const known = { address: vip, mac, how: 'announced', sameMac: false, interface: 'eth0' }
    const done = { count: 1, announced: 1, takeOver: null }
    assert.deepEqual(segment.kept, [{ instance: 'V1', ...known, ...done }])
    for (let i = 0; i < 600; i++) {
      segment.hears(gratuitous())
      segment.after(1)
    }
    assert.deepEqual([segment.claims, segment.announced()], [[named], []])
    const [claimant] = segment.stage.named('V1').claimants.at(us(segment.now))
    assert.equal(claimant?.count, 601)
    // One entry, written at once and then ever more rarely.
    assert.deepEqual(
      segment.kept.map(({ count }) => count),
      [1, 61, 181, 421],
    )
    segment.stage.dispatcher.stop()
    assert.equal(segment.kept.at(-1)?.count, 601, 'and as the lead ends')
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
    // What is remembered of them: some that are named, and one entry for all others.
    const past = claimants.past.at({ now: us(segment.now), wallMs: 0 })
    const many = past.filter((it) => it.mac === null)
    const named = past.length - many.length
    assert.deepEqual([many.length, named <= 15, segment.kept.length <= 30], [1, true, true])
    assert.ok((many[0]?.count ?? 0) > 1_800, `${many[0]?.count} of 2000`)
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
