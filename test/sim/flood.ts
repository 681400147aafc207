/**
 * A backup whose main thread hangs under a flood of adverts that its seal does not allow. It goes on as if none of them came:
 * it takes over once its master has been silent for the down interval, and not from one whose adverts have only changed.
 */
import assert from 'node:assert/strict'
import { enginePolicy } from '../../src/engine/policy.ts'
import { again, alteredAdvert, foreignAdvert } from './foreign-adverts.ts'
import { plainFile } from './host-file.ts'
import { fair } from './lan.ts'
import { answerUs } from './latency.ts'
import { leads, type MakeWorld, Pair, second } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import type { Scenario } from './scenario.ts'
import { altered } from './seals.ts'
import { downUs } from './times.ts'
import type { World } from './world.ts'

/** Longer than the main thread hangs here. */
const leaseUs = 15 * second
/** Once in so many advert intervals, whatever else comes. */
const everyIntervals = 0.02
/** Just before the master's own advert, as many in its name as use up what the engine lets through at once. */
const burst = 2 * (enginePolicy.source.burst + enginePolicy.slot.burst)
const burstBeforeUs = 1_000
/** How often the pair is looked at: this much later than it leads it is seen to. */
const lookUs = 100
/** Instants are whole microseconds. */
const roundingUs = 10

/** `fixed`: how adverts are signed, and what follows from that. null: nothing was broken. */
export function flooded(
  seed: number,
  fixed: Pick<Scenario, 'version' | 'family' | 'seal'>,
  makeWorld: MakeWorld,
): Broken | null {
  const { family } = fixed
  const livenessUs = new Prng(seed ^ 0xf1).pick([0, leaseUs])
  const common = { family, weight: -30, warden: false, file: plainFile(livenessUs) } as const
  const hosts = [150, 100].map((priority, i) => plainHost(i + 1, { priority, ...common }))
  const pair = new Pair(makeWorld, {}, {}, { seed, ...fixed, hosts })
  const name = `under a flood, vipd_liveness ${livenessUs / second}`
  return played(name, pair.world, () => new Flooded(pair, livenessUs > 0).play())
}

class Flooded {
  readonly #pair: Pair
  readonly #hasLease: boolean
  /** When the master spoke last. */
  #sentAt = 0
  #floods = false

  constructor(pair: Pair, hasLease: boolean) {
    this.#pair = pair
    this.#hasLease = hasLease
    const { world, agenda, a } = pair
    world.invariants.onSent = (host) => {
      if (host !== a) return
      this.#sentAt = agenda.now
      world.later(world.scenario.advertUs - burstBeforeUs, () => this.#burst())
    }
  }

  play(): void {
    this.#under(() => this.#dies())
    this.#under(() => this.#changes())
  }

  #under(round: () => void): void {
    const { world, a, b } = this.#pair
    const end = again(world, everyIntervals, () => forge(world))
    this.#floods = true
    this.#pair.pass(world.prng.between(second, 2 * second))
    round()
    b.unstall()
    this.#pair.pass(second)
    assert.deepEqual(this.#pair.leaders, ['host2'])
    // What was recorded is news to a process that has just started.
    end()
    this.#floods = false
    this.#pair.disturb()
    a.setCheck(true)
    a.start()
    this.#pair.pass(15 * second)
    assert.deepEqual(this.#pair.leaders, ['host1'])
  }

  /** The main thread hangs from a moment before the master dies on, or not before most of the wait is over. */
  #dies(): void {
    const { world, a, b } = this.#pair
    const afterUs = world.prng.between(-2.5 * second, 2.5 * second)
    if (afterUs < 0) this.#hang()
    this.#pair.pass(Math.max(-afterUs, 0))
    this.#pair.disturb()
    a.crash()
    this.#pair.pass(Math.max(afterUs, 0))
    this.#hang()
    this.#takesOver()
    assert.ok(b.process?.stalled)
  }

  /** The main thread hangs before it has heard of the master's new priority; then the master dies. */
  #changes(): void {
    const { world, a, b } = this.#pair
    this.#hang()
    this.#pair.disturb()
    a.setCheck(false)
    this.#pair.pass(world.prng.between(4.5 * second, 6 * second))
    assert.deepEqual(
      this.#pair.leaders,
      ['host1'],
      'adverts that were not looked at are waited for',
    )
    this.#pair.disturb()
    a.crash()
    if (!this.#hasLease) return this.#takesOver()
    this.#pair.pass(4 * second)
    assert.deepEqual(this.#pair.leaders, [], 'what came before the deadline is waited for')
    b.unstall()
    this.#pair.until(() => leads(b), 2 * answerUs)
  }

  /** Each one differs from those that wait. */
  #burst(): void {
    const { lan, foreigner } = this.#pair.world
    const last = lan.recorded.at(-1)
    if (!this.#floods || last === undefined) return
    for (let by = 1; by <= burst; by++) lan.send(foreigner, { ...altered(last, by), valid: false })
  }

  #hang(): void {
    this.#pair.disturb()
    this.#pair.b.stall()
  }

  /** When the master has been silent for the down interval, neither earlier nor later. */
  #takesOver(): void {
    const { agenda, world, b } = this.#pair
    const floorUs = downUs(world.scenario, b.plan.priority)
    const mostUs = floorUs + fair.delayMaxUs + lookUs + roundingUs
    while (!leads(b)) {
      const silentUs = agenda.now - this.#sentAt
      assert.ok(silentUs <= mostUs, `not taken over ${silentUs} µs after the last advert`)
      this.#pair.pass(lookUs)
    }
    const silentUs = agenda.now - this.#sentAt
    assert.ok(silentUs >= floorUs - roundingUs, `taken over ${silentUs} µs after the last advert`)
  }
}

/** Unsigned, recorded or altered. */
function forge(world: World): void {
  const { prng, lan, foreigner } = world
  const kind = prng.between(0, 2)
  if (kind === 0) foreignAdvert(world, 254, 'valid')
  else if (kind === 1) lan.send(foreigner, { ...prng.pick(lan.recorded), valid: false })
  else alteredAdvert(world)
}
