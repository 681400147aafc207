/**
 * Hosts with a kernel lease whose daemons are killed or stand still whole, with their wardens: never do two hosts answer
 * for an address on that account, nothing stays muted that must not, and one answers again when all is well.
 */
import assert from 'node:assert/strict'
import type { Ip } from '../../src/base/ip.ts'
import { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import { fair } from './lan.ts'
import { answerUs } from './latency.ts'
import type { MakeWorld } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import type { World } from './world.ts'

const second = 1_000_000
const lifetimeS = 8
const strikes = 14

function scenarioOf(seed: number, prng: Prng): Scenario {
  const advertUs = prng.pick([100_000, 110_000, 500_000, second])
  const host = (number: number, priority: number): HostPlan =>
    plainHost(number, {
      priority,
      // As an oscillator has it: the shortest skew is a fourhundredth of what a peer waits.
      clockRate: 1 + 0.0002 * (2 * prng.next() - 1),
      clockOffset: prng.between(0, 1_000_000) * second,
      warden: false,
    })
  const hosts = [host(1, 254), host(2, 253), ...(prng.chance(0.3) ? [host(3, 100)] : [])]
  const fixed = { seed, profile: 'storm', version: 3, family: 4, advertUs, lifetimeS } as const
  const lease = { tickUs: prng.pick([1_000, 4_000, 10_000]) }
  return { ...fixed, grouped: prng.chance(0.3), refreshS: 0, hosts, hours: 1, lease }
}

/** null: nothing was broken. */
export function wholeFaults(seed: number, makeWorld: MakeWorld): Broken | null {
  const agenda = new Agenda()
  const prng = new Prng(seed ^ 0x1ea5e)
  const world = makeWorld(scenarioOf(seed, prng), agenda, prng)
  return played('with a kernel lease', world, () => new Play(world, agenda).run())
}

class Play {
  readonly #world: World
  readonly #agenda: Agenda
  /** Since when each host is struck, or was last. */
  readonly #struck = new Map<Host, number>()
  /** Since when two hosts answer, none of which is struck: one hands over to the other. */
  #both: number | null = null

  constructor(world: World, agenda: Agenda) {
    this.#world = world
    this.#agenda = agenda
  }

  run(): void {
    const { hosts, prng, scenario } = this.#world
    for (const host of hosts) host.start()
    this.#rest()
    for (let i = 0; i < strikes; i++) {
      const host = hosts.find((it) => this.#answers(it)) ?? hosts[0]
      assert.ok(host !== undefined)
      const mend = prng.pick(this.#faults)(host)
      // Often about as long as a lease: what is a little too late must be as good as what is much too late.
      const span = prng.pick([0.4, 1.6, 2.9, 2.94, 2.97, 2.99, 3, 3.005, 3.2, 5, 30])
      // Counted from the last advert, it ends between the lease and the deadline of a peer, a hundredth of an interval later.
      const since = prng.chance(0.5) ? host.sinceAdvert : 0
      this.#pass(Math.max(0, Math.floor(span * scenario.advertUs - since)))
      mend()
      if (prng.chance(0.7)) this.#rest()
      // A third router takes the priority 0 of one that wakes up for its master's, and asks by taking over.
      else if (hosts.length > 2) this.#pass(3 * scenario.advertUs)
    }
    this.#rest()
  }

  get #faults(): readonly ((host: Host) => () => void)[] {
    const { invariants, scenario } = this.#world
    const told = (what: string, host: Host) => invariants.disturb(0, what, host)
    return [
      (host) => {
        told('killed', host)
        this.#strike(host)
        host.crash()
        return () => {
          host.start()
          told('started again', host)
          this.#mended(host)
        }
      },
      ...(['stopped', 'stopped', 'stopped'] as const).map((how) => (host: Host) => {
        invariants.disturb(1, how, host)
        this.#strike(host)
        host.sleep(how)
        return () => {
          invariants.disturb(-1, 'wakes up', host)
          host.wakeUp()
          this.#mended(host)
        }
      }),
      (host) => {
        told('stops', host)
        host.stop()
        return () => {
          host.start()
          told('started again', host)
        }
      },
      (host) => {
        invariants.disturb(0, 'nft flush ruleset', host)
        host.flushRules()
        // Without the table there is no lease: a blow in that moment is one without.
        return () => {
          while (host.lease?.stands === false) this.#pass(scenario.advertUs)
          this.#pass(scenario.advertUs)
        }
      },
    ]
  }

  #strike(host: Host): void {
    this.#struck.set(host, Number.POSITIVE_INFINITY)
  }

  #mended(host: Host): void {
    this.#struck.set(host, this.#agenda.now)
  }

  #answers(host: Host): boolean {
    return vipsOf(this.#world.scenario).some((vip) => this.#answersFor(host, vip))
  }

  #answersFor({ kernel, lease }: Host, { vrid, address }: { vrid: number; address: Ip }): boolean {
    return kernel.holds(address) && lease?.answers(vrid) !== false
  }

  /** Looks more often than the shortest overlap would last. */
  #pass(spanUs: number): void {
    const { scenario } = this.#world
    const end = this.#agenda.now + spanUs
    const step = Math.max(200, Math.floor(scenario.advertUs / 500))
    while (this.#agenda.now < end) {
      this.#agenda.runUntil(Math.min(end, this.#agenda.now + step))
      this.#look()
    }
  }

  #look(): void {
    const { hosts, scenario } = this.#world
    const [vip] = vipsOf(scenario)
    assert.ok(vip !== undefined)
    const allStruck = hosts.filter((host) => this.#isStruck(host))
    const answering = hosts.filter((host) => this.#answersFor(host, vip))
    // A better router may take over by preemption in the moment in which the master is struck; a lease later that is over.
    const struck = answering.filter(
      (host) => allStruck.includes(host) && host.sinceAdvert > 3 * scenario.advertUs,
    )
    const names = answering.map(({ name }) => name).join(' and ')
    if (answering.length > 1)
      assert.deepEqual(
        struck.map(({ name }) => name),
        [],
        `${names} answer for ${vip.address}`,
      )
    if (answering.length < 2 || answering.some((host) => allStruck.includes(host))) {
      this.#both = null
      return
    }
    this.#both ??= this.#agenda.now
    const most = 2 * answerUs + 2 * fair.delayMaxUs + scenario.advertUs
    assert.ok(this.#agenda.now - this.#both < most, `${names} answer for ${vip.address} for long`)
  }

  /** Until it leads no more on account of what was before; what it takes over then is another matter. */
  #isStruck(host: Host): boolean {
    const mended = this.#struck.get(host)
    if (mended === undefined) return false
    const { process } = host
    const slots = process?.main.dispatcher.instances ?? []
    const leads = slots.some(({ slot }) => process?.engine.leads(slot) === true)
    if (mended <= this.#agenda.now && !leads) this.#struck.delete(host)
    return this.#struck.has(host)
  }

  /** All is well, and has been for a while: one host answers, and no other mutes anything. */
  #rest(): void {
    const { hosts, scenario } = this.#world
    this.#pass(Math.ceil(12 * scenario.advertUs) + 2 * second)
    for (const vip of vipsOf(scenario)) {
      const answering = hosts.filter((host) => this.#answersFor(host, vip))
      const names = answering.map(({ name }) => name).join()
      assert.equal(answering.length, 1, `${names || 'no host'} answers for ${vip.address}`)
      const muting = hosts.filter(({ lease }) => lease?.mutes(vip.vrid) === true)
      const expected = answering.filter(({ lease }) => lease?.stands === true)
      assert.deepEqual(
        muting.map(({ name }) => name),
        expected.map(({ name }) => name),
        `who would mute ${vip.address}`,
      )
    }
  }
}
