/**
 * Things that must meet within a millisecond to matter, and that faults at random seldom bring together: each is brought
 * about on a pair, at instants that the seed draws. The invariants watch as in every run.
 */
import assert from 'node:assert/strict'
import { us } from '../../src/base/time.ts'
import type { Host } from './host.ts'
import { roamingAddress, staticAddress, staticNetwork } from './host-file.ts'
import { answerUs } from './latency.ts'
import { leads, type MakeWorld, Pair, second } from './pair.ts'
import { Prng } from './prng.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import type { World } from './world.ts'

type Encounter = {
  readonly name: string
  readonly a?: Partial<HostPlan>
  readonly b?: Partial<HostPlan>
  readonly scenario?: Partial<Scenario>
  play(pair: Pair, prng: Prng): void
}

const advertUs = second
const firstVrid = 51
/** Of priority 100 at version 3, from the last advert. */
const downUs = 3 * advertUs + (156 * advertUs) / 256

const encounters: readonly Encounter[] = [
  {
    name: 'a check that mends as the deadline passes',
    a: { warden: false },
    b: { weight: -30 },
    play: (pair, prng) => {
      for (let i = 0; i < 8; i++) {
        check(pair, pair.b, false)
        pair.pass(2 * second)
        silence(pair)
        const deadline = deadlineOf(pair.b)
        pair.agenda.at(deadline + prng.between(-1_600, 200), () => check(pair, pair.b, true))
        pair.until(() => leads(pair.b), 5 * second)
        again(pair)
      }
    },
  },
  {
    name: 'rules that are flushed as the deadline passes',
    a: { warden: false },
    scenario: { lease: { tickUs: 1_000 } },
    play: (pair, prng) => {
      for (let i = 0; i < 8; i++) {
        silence(pair)
        const deadline = deadlineOf(pair.b)
        pair.agenda.at(deadline + prng.between(-1_600, 200), () => pair.b.flushRules())
        pair.until(() => leads(pair.b), 5 * second)
        pair.pass(advertUs)
        assert.ok(pair.b.lease?.mutes(firstVrid), 'the lead goes on with a lease again')
        again(pair)
      }
    },
  },
  {
    name: 'sockets that are replaced while the master is silent',
    a: { warden: false },
    play: (pair, prng) => {
      for (let i = 0; i < 4; i++) {
        silence(pair)
        const from = pair.agenda.now
        pair.pass(prng.between(300_000, 2_300_000))
        alter(pair, pair.b, { secondSource: !pair.b.plan.file.secondSource })
        pair.until(() => leads(pair.b), 8 * second)
        const tookUs = pair.agenda.now - from
        const mostUs = downUs + 2 * answerUs
        assert.ok(tookUs <= mostUs, `took over ${tookUs} µs after the master died, not ${mostUs}`)
        again(pair)
      }
    },
  },
  {
    name: 'a stop between two slices of a reload',
    scenario: { profile: 'changes', unitMs: 12 },
    play: (pair, prng) => {
      for (let i = 0; i < 8; i++) {
        const { file } = pair.b.plan
        alter(pair, pair.b, { third: true, secondSource: !file.secondSource, label: !file.label })
        pair.agenda.at(pair.agenda.now + prng.between(0, 4_000), () => {
          pair.world.invariants.disturb(0, 'stop', pair.b)
          pair.b.stop()
        })
        pair.pass(4 * second)
        pair.b.plan.file = { ...pair.b.plan.file, third: false }
        pair.b.start()
        pair.pass(10 * second)
      }
    },
  },
  {
    name: 'static entries',
    a: { warden: false },
    scenario: { statics: true },
    play: (pair) => {
      const { a, b } = pair
      for (const host of [a, b]) checkStatics(host, 3, 'from the start')
      a.kernel.remove(staticAddress(4, 1))
      for (const entry of b.kernel.entriesWith(staticNetwork)) b.kernel.removeEntry(entry)
      for (const entry of a.kernel.entriesWith(staticNetwork))
        if (entry.startsWith('route')) a.kernel.replaceEntry(entry)
      pair.pass(2 * answerUs)
      for (const host of [a, b]) checkStatics(host, 3, 'put back')
      pair.world.invariants.disturb(0, 'link down', b)
      b.kernel.setUp(false)
      pair.pass(second)
      checkStatics(b, 2, 'a route needs its interface')
      b.kernel.setUp(true)
      pair.pass(2 * answerUs)
      checkStatics(b, 3, 'the interface is back')
      alter(pair, b, { statics: false })
      pair.pass(2 * answerUs)
      checkStatics(b, 0, 'a file without them')
      alter(pair, b, { statics: true })
      pair.pass(2 * answerUs)
      checkStatics(b, 3, 'a file with them')
      pair.world.invariants.disturb(0, 'crash', a)
      a.crash()
      pair.pass(20 * second)
      checkStatics(a, 3, 'killed')
      a.start()
      pair.pass(20 * second)
      checkStatics(a, 3, 'started again')
      pair.world.invariants.disturb(0, 'stop', a)
      a.stop()
      pair.pass(answerUs)
      checkStatics(a, 0, 'stopped')
      pair.pass(3 * second)
      a.start()
      pair.pass(20 * second)
    },
  },
  {
    name: 'what another program alters',
    play: (pair) => {
      const { kernel } = pair.a
      const [vip] = vipsOf(pair.world.scenario)
      assert.ok(vip !== undefined)
      const lifetime = kernel.validOf(vip.address)
      assert.ok(lifetime !== undefined)
      for (let i = 0; i < 3; i++) {
        pair.world.invariants.disturb(0, 'altered', pair.a)
        kernel.alter(vip.address, 1)
        for (const entry of kernel.entriesWith('route ')) kernel.replaceEntry(entry)
        pair.pass(2 * answerUs)
        assert.equal(kernel.validOf(vip.address), lifetime)
        assert.equal(kernel.entriesWith('route ').length, 1)
        pair.pass(10 * second)
        assert.deepEqual(pair.leaders, ['host1'])
      }
    },
  },
  {
    name: 'a competitor long after another process took over',
    play: (pair) => {
      pair.world.invariants.disturb(0, 'another process', pair.a)
      pair.a.exchange()
      pair.pass(150 * second)
      pair.world.invariants.disturb(0, 'cut')
      const mend = pair.world.lan.cut(pair.a.port, pair.b.port)
      pair.until(() => leads(pair.b), 5 * second)
      pair.world.invariants.disturb(0, 'mended')
      mend()
      // What is announced once more is announced before all is settled.
      pair.pass(300 * second)
      assert.deepEqual(pair.leaders, ['host1'])
    },
  },
  {
    name: 'an address that moves between two instances that lead',
    scenario: { profile: 'changes', unitMs: 0, grouped: true },
    play: (pair) => {
      for (const roaming of ['VI_1', 'VI_2', 'VI_1']) {
        pair.pass(80 * second)
        alter(pair, pair.a, { roaming })
        pair.pass(10 * second)
        pair.world.invariants.check()
        assert.ok(pair.a.kernel.holds(roamingAddress(4)))
      }
    },
  },
  {
    name: 'a BFD session that the master takes away and has again',
    scenario: { bfd: { everyUs: 100_000 } },
    play: (pair) => {
      alter(pair, pair.a, { sessions: false })
      pair.pass(8 * second)
      assert.deepEqual(pair.leaders, ['host1'], 'a session that is taken away is no lost master')
      alter(pair, pair.a, { sessions: true })
      pair.pass(60 * second)
      pair.world.invariants.check()
      pair.world.invariants.disturb(0, 'crash')
      pair.a.reboot()
      pair.until(() => leads(pair.b), second)
    },
  },
  {
    name: 'a reload as the detection time passes',
    scenario: { profile: 'changes', unitMs: 0, bfd: { everyUs: 100_000, exact: true } },
    play: (pair, prng) => {
      for (let i = 0; i < 10; i++) {
        pair.world.invariants.disturb(0, 'BFD path cut')
        const mend = pair.world.lan.cut(pair.a.port, pair.b.port, 'bfd')
        const heardAt = pair.b.process?.bfd.lastReceivedUs
        assert.ok(heardAt !== undefined)
        const expiry = pair.b.clock.when(us(heardAt + 3 * 100_000))
        pair.agenda.at(expiry + prng.between(-1_600, 200), () =>
          alter(pair, pair.b, { third: !pair.b.plan.file.third }),
        )
        pair.pass(3 * second)
        pair.world.invariants.disturb(0, 'BFD path mended')
        mend()
        pair.pass(20 * second)
        assert.deepEqual(pair.leaders, ['host1'])
      }
    },
  },
  {
    name: 'a session that is lost while it passes to another process, whose main thread hangs',
    scenario: { bfd: { everyUs: 100_000, exact: true } },
    play: (pair, prng) => {
      for (let i = 0; i < 6; i++) {
        pair.world.invariants.disturb(0, 'BFD path cut')
        const mend = pair.world.lan.cut(pair.a.port, pair.b.port, 'bfd')
        const { process } = pair.b
        const heardAt = process?.bfd.lastReceivedUs
        assert.ok(heardAt !== undefined)
        const expiry = pair.b.clock.when(us(heardAt + 3 * 100_000))
        pair.agenda.runUntil(expiry - prng.between(500, 4_000))
        pair.world.invariants.disturb(1, 'another process, which hangs', pair.b)
        pair.b.exchange()
        pair.until(() => pair.b.process !== process, second)
        pair.b.stall()
        pair.pass(second)
        pair.world.invariants.disturb(-1, 'goes on', pair.b)
        pair.b.unstall()
        pair.pass(2 * second)
        pair.world.invariants.disturb(0, 'BFD path mended')
        mend()
        pair.pass(20 * second)
        assert.deepEqual(pair.leaders, ['host1'])
      }
    },
  },
  {
    name: 'a master that dies when a backup has just become better',
    scenario: { bfd: { everyUs: 100_000 } },
    play: (pair, prng) => {
      for (let i = 0; i < 4; i++) {
        reprioritise(pair, pair.b, 200)
        pair.pass(prng.between(2 * answerUs, 2 * second))
        silence(pair)
        pair.until(() => leads(pair.b), 3 * 100_000 + 2 * answerUs)
        reprioritise(pair, pair.b, 100)
        again(pair)
      }
    },
  },
  {
    name: 'a BFD session that a tracker counts, taken away at the other end',
    scenario: { bfd: { everyUs: 100_000, tracker: 'weight -60' } },
    play: (pair) => {
      alter(pair, pair.b, { sessions: false })
      pair.pass(8 * second)
      assert.deepEqual(pair.leaders, ['host1'], 'a session that is taken away costs no priority')
      alter(pair, pair.b, { sessions: true })
      pair.pass(20 * second)
      pair.world.invariants.disturb(0, 'BFD path cut')
      const mend = pair.world.lan.cut(pair.b.port, pair.a.port, 'bfd')
      pair.pass(2 * second)
      assert.equal(effective(pair.a), 90, 'a session that is lost does')
      pair.world.invariants.disturb(0, 'BFD path mended')
      mend()
    },
  },
]

/** null: all went as it must. */
export function meet(
  seed: number,
  makeWorld: MakeWorld,
): { readonly what: string; readonly trace: readonly string[] } | null {
  for (const { name, a, b, scenario, play } of encounters) {
    let world: World | null = null
    const making: MakeWorld = (...args) => {
      world = makeWorld(...args)
      return world
    }
    try {
      const pair = new Pair(making, a, b, { seed, ...scenario })
      play(pair, new Prng(seed ^ 0x5eed))
      pair.pass(60 * second)
      pair.world.invariants.check()
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { what: `${name}: ${what}`, trace: [...traceOf(world)] }
    }
  }
  return null
}

const traceOf = (world: World | null): readonly string[] => world?.invariants.trace ?? []

/** The master dies without a word. */
function silence(pair: Pair): void {
  pair.world.invariants.disturb(0, 'crash', pair.a)
  pair.a.reboot()
}

function again(pair: Pair): void {
  pair.pass(second)
  pair.world.invariants.check()
  pair.world.invariants.disturb(0, 'started again', pair.a)
  pair.a.start()
  pair.pass(12 * second)
  assert.deepEqual(pair.leaders, ['host1'])
}

function check(pair: Pair, host: Host, good: boolean): void {
  pair.world.invariants.disturb(0, `check ${good ? 'good' : 'bad'}`, host)
  host.setCheck(good)
}

function reprioritise(pair: Pair, host: Host, priority: number): void {
  host.plan.priority = priority
  pair.world.invariants.disturb(0, `priority becomes ${priority}`, host)
  host.reload()
}

function alter(pair: Pair, host: Host, more: Partial<HostPlan['file']>): void {
  const { invariants } = pair.world
  host.plan.file = { ...host.plan.file, ...more }
  invariants.disturb(0, `file altered: ${JSON.stringify(more)}`, host)
  invariants.reloads(host)
  host.reload()
}

const effective = ({ process }: Host): number | undefined =>
  process?.main.dispatcher.instances[0]?.machine.effective

function checkStatics(host: Host, wanted: number, when: string): void {
  const { kernel, plan } = host
  const address = kernel.holds(staticAddress(4, plan.number)) ? 1 : 0
  const held = address + kernel.entriesWith(staticNetwork).length
  assert.equal(held, wanted, `${host.name}: static entries, ${when}`)
}

/** In true time. */
function deadlineOf(host: Host): number {
  const deadline = host.process?.engine.nextDeadline ?? null
  assert.ok(deadline !== null, 'it waits for nothing')
  return host.clock.when(deadline)
}
