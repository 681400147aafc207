/**
 * A pair beside another machine that has its address, at times: who is reported and who is not, how often the address is
 * announced on account of it, and what an answer to the question before a take-over does.
 */
import assert from 'node:assert/strict'
import type { Ip } from '../../src/base/ip.ts'
import { macOctets, macText } from '../../src/base/mac.ts'
import { encodeGratuitousArp } from '../../src/wire/arp.ts'
import { encodeUnsolicitedNa } from '../../src/wire/ndp.ts'
import { arpFrame, ndFrame } from '../unit/wire/claim-frames.ts'
import { Agenda } from './agenda.ts'
import { answerOf } from './frames.ts'
import type { Host } from './host.ts'
import type { MakeWorld } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import type { World } from './world.ts'

const second = 1_000_000
const foreignMac = '02:00:00:00:00:99'

type Policy = NonNullable<Scenario['claims']>

function scenarioOf(seed: number, prng: Prng, claims: Policy): Scenario {
  const family = prng.pick([4, 6] as const)
  const advertUs = prng.pick([0.5, 1]) * second
  const host = (number: number, priority: number): HostPlan =>
    plainHost(number, { family, priority })
  const fixed = { seed, profile: 'storm', version: 3, family, advertUs, lifetimeS: 8 } as const
  const hosts = [host(1, 150), host(2, 100)]
  return { ...fixed, grouped: false, refreshS: 0, hosts, hours: 1, claims }
}

/** null: all was as it must be. */
export function claims(seed: number, makeWorld: MakeWorld): Broken | null {
  const prng = new Prng(seed ^ 0xc1a1)
  const reaction = prng.pick(['report', 'announce', 'defend'] as const)
  const drawn = prng.pick(['warn', 'wait', 'refuse'] as const)
  for (const play of [watched, asked] as const) {
    // A backup whose master answers, and is not heard, would not take over.
    const policy = play === asked ? drawn : 'warn'
    const check = play === asked ? 'always' : prng.pick(['off', 'always'] as const)
    const agenda = new Agenda()
    const scenario = scenarioOf(seed, prng, { reaction, check, policy })
    const segment = new Segment(makeWorld(scenario, agenda, new Prng(seed)), agenda)
    const how = `vipd_address_claim ${reaction}, vipd_claim_check ${check} ${policy}`
    const broken = played(how, segment.world, () => play(segment))
    if (broken !== null) return broken
  }
  return null
}

class Segment {
  readonly world: World
  readonly a: Host
  readonly b: Host
  readonly advertUs: number
  readonly policy: Policy
  readonly vip: Ip
  /** The foreign machine has the address, and answers for it. */
  holds = false
  /** A switch that sends back what a host sends. */
  reflects = false
  #asked = 0
  readonly #agenda: Agenda
  readonly #foreigner: number

  constructor(world: World, agenda: Agenda) {
    this.world = world
    this.#agenda = agenda
    const [a, b] = world.hosts
    const { claims: policy, advertUs } = world.scenario
    const [vip] = vipsOf(world.scenario)
    assert.ok(a !== undefined && b !== undefined && policy !== undefined && vip !== undefined)
    this.a = a
    this.b = b
    this.policy = policy
    this.advertUs = advertUs
    this.vip = vip.address
    this.#foreigner = world.lan.attach({
      receive: () => undefined,
      frame: (bytes) => this.#hear(bytes),
    })
    // Never settled: something happens all the time.
    world.invariants.disturb(1, 'another machine')
    for (const host of world.hosts) host.start()
    this.pass(20 * advertUs)
    assert.equal(this.leaders, 'host1')
  }

  pass(spanUs: number): void {
    this.#agenda.runUntil(Math.floor(this.#agenda.now + spanUs))
  }

  /** An operator's deed, or a fault. */
  begin(what: string): void {
    this.world.invariants.disturb(0, what)
  }

  claim(mac = foreignMac): void {
    this.world.lan.frame(this.#foreigner, this.#announcement(mac))
  }

  /** The kernel of the host asks for a neighbour in the name of the address. */
  ask(host: Host): void {
    const mac = macText(host.kernel.mac)
    this.#asked += 1
    const last = 20 + (this.#asked % 200)
    if (this.world.scenario.family === 4) {
      const target = `10.0.0.${last}` as Ip
      return host.emit(arpFrame({ operation: 1, mac, sender: this.vip, target }))
    }
    const target = `fe80::${last.toString(16)}` as Ip
    const asks = { type: 'solicitation', mac, source: this.vip, target, option: mac } as const
    host.emit(ndFrame(asks))
  }

  get leaders(): string {
    return this.world.hosts
      .filter((host) => leads(host))
      .map(({ name }) => name)
      .join()
  }

  #announcement(mac: string): Uint8Array {
    const octets = macOctets(mac)
    return this.world.scenario.family === 4
      ? encodeGratuitousArp(octets, this.vip)
      : encodeUnsolicitedNa(octets, this.vip, false)
  }

  #hear(bytes: Uint8Array): void {
    const { lan } = this.world
    const mac = macOctets(foreignMac)
    const answer = answerOf(bytes, { mac, holds: (address) => this.holds && address === this.vip })
    if (answer !== null) lan.frame(this.#foreigner, answer)
    if (this.reflects) lan.frame(this.#foreigner, bytes)
  }
}

const instanceOf = (host: Host) => host.process?.main.dispatcher.instances[0]

const leads = (host: Host): boolean => {
  const slot = instanceOf(host)?.slot
  return slot !== undefined && host.process?.engine.leads(slot) === true
}

/** Since it was started. */
const counts = (host: Host) =>
  instanceOf(host)?.claimants.counts ?? { frames: 0, reported: 0, announced: 0 }

/** While an address is led. */
function watched(segment: Segment): void {
  const { a, b, world, advertUs, policy } = segment
  const { lan } = world
  // Hand-overs, the adverts of which arrive, or all but the first.
  segment.begin('drained')
  a.drain(true)
  segment.pass(10 * advertUs + second)
  assert.equal(segment.leaders, 'host2')
  segment.begin('resumed')
  a.drain(false)
  segment.pass(10 * advertUs + second)
  assert.equal(segment.leaders, 'host1')
  const cuts = [lan.cut(a.port, b.port, 'adverts'), lan.cut(b.port, a.port, 'adverts')]
  segment.begin('adverts are cut')
  while (!leads(b)) segment.pass(advertUs / 50)
  segment.pass(advertUs / 3)
  for (const mend of cuts) mend()
  segment.begin('mended')
  segment.pass(10 * advertUs + second)
  assert.equal(segment.leaders, 'host1')
  assert.equal(counts(b).reported, 0, 'the routers of a hand-over claim nothing')
  segment.reflects = true
  const deaf = lan.cut(a.port, b.port, 'adverts')
  segment.begin('the backup is deaf')
  segment.pass(8 * advertUs)
  deaf()
  segment.pass(10 * advertUs + second)
  segment.reflects = false
  // The deaf one has a reason to say so.
  assert.equal(
    counts(a).reported,
    0,
    'a competitor that is heard, and reflected frames, claim nothing',
  )
  sameMac(segment)
  // Another machine.
  segment.claim()
  segment.pass(1.25 * advertUs + 0.3 * second)
  assert.deepEqual(counts(a).reported - 1, 1, 'is reported after an advert interval')
  const told = instanceOf(a)?.claims.at(a.now()) ?? []
  assert.deepEqual(
    told.map(({ address, mac }) => `${address} ${mac}`),
    [`${segment.vip} ${foreignMac}`],
  )
  for (let i = 0; i < 160; i++) {
    segment.claim()
    segment.pass(2 * second)
  }
  assert.equal(counts(a).reported - 1, 1, 'and only once while it goes on')
  const { announced } = counts(a)
  const allowed = { report: [0, 0], announce: [1, 1], defend: [4, 6] }[policy.reaction]
  const [least = 0, most = 0] = allowed
  assert.ok(announced >= least && announced <= most, `${announced} announcements in 320 s`)
  for (let i = 0; i < 100; i++) {
    segment.claim(`02:00:00:00:01:${(i % 50).toString(16).padStart(2, '0')}`)
    segment.pass(second / 2)
  }
  const more = counts(a).announced - announced
  const bound = policy.reaction === 'report' ? 0 : 8
  assert.ok(more <= bound, `${more} announcements in 50 s, of made-up machines`)
  assert.equal(segment.leaders, 'host1')
}

/** Frames with the MAC address of the master: its own, come back, and those of a machine that has the same. */
function sameMac(segment: Segment): void {
  const { a, policy } = segment
  const own = macText(a.kernel.mac)
  segment.reflects = true
  for (let i = 0; i < 40; i++) {
    segment.ask(a)
    segment.pass(0.7 * second)
  }
  assert.equal(counts(a).reported, 0, 'its own frames that come back are no claim')
  assert.equal(a.process?.frames.looks, 0, 'it does not listen to itself for ever')
  segment.reflects = false
  // Longer than it may have stopped to listen for, twice.
  segment.pass(150 * second)
  const { announced } = counts(a)
  segment.claim(own)
  segment.pass(3 * second)
  for (let i = 0; i < 30; i++) {
    if (i % 3 === 0) segment.ask(a)
    segment.claim(own)
    segment.pass(2 * second)
  }
  assert.equal(counts(a).reported, 1, 'a machine with the same MAC address is reported once')
  const told = instanceOf(a)?.claims.at(a.now()) ?? []
  assert.deepEqual(
    told.map(({ mac, sameMac: same }) => `${mac} ${same}`),
    [`${own} true`],
  )
  assert.equal(counts(a).announced, announced, `${policy.reaction}: and never announced against`)
  segment.pass(61 * second)
}

/** Before a take-over. */
function asked(segment: Segment): void {
  const { a, advertUs, policy } = segment
  // The lower master that is there answers as well, and is taken over from all the same.
  segment.begin('crash')
  a.crash()
  segment.pass(8 * advertUs + second)
  assert.equal(segment.leaders, 'host2')
  segment.begin('started again')
  a.start()
  segment.pass(10 * advertUs + 2 * second)
  assert.equal(segment.leaders, 'host1', 'a lower master is no claimant')
  segment.holds = true
  segment.begin('stopped')
  a.stop()
  // Three intervals and the skew time of priority 100.
  const downUs = 3.61 * advertUs
  const slackUs = 1.3 * second
  segment.pass(2.5 * advertUs)
  if (policy.policy === 'wait') assert.equal(segment.leaders, '', 'wait: it waits')
  segment.pass(1.11 * advertUs + slackUs)
  if (policy.policy === 'warn') assert.equal(segment.leaders, 'host2', 'warn: it takes over')
  else if (policy.policy === 'wait') {
    segment.pass(downUs + slackUs)
    assert.equal(segment.leaders, 'host2', 'wait: it waits for one more down interval at most')
  } else {
    segment.pass(60 * second)
    assert.equal(segment.leaders, '', 'refuse: it does not take over')
    segment.holds = false
    segment.pass(300 * second + downUs + slackUs)
    assert.equal(segment.leaders, 'host2', 'refuse: it takes over when the other machine has gone')
  }
}
