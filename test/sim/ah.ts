/**
 * Routers with `auth_type AH`: the storms of other runs, an attacker who has recorded adverts, and upgrades. Beside the rules
 * of every run the sequence is looked at: each advert has one more than all that its router has sent and heard, in whatever
 * process; the first one of a host has the seconds of its clock.
 */
import assert from 'node:assert/strict'
import { Agenda } from './agenda.ts'
import { attack } from './attack.ts'
import type { Host } from './host.ts'
import { Life } from './life.ts'
import { leads, type MakeWorld, second } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import { drawScenario, type Scenario } from './scenario.ts'
import { upgradeScenario, upgradesOf } from './upgrades.ts'
import type { World } from './world.ts'

/** Of a storm. */
const hours = 0.4
/** What AH is made for. */
const fixed = { version: 2, family: 4, seal: 'ah' } as const

/** null: nothing was broken. */
export function authenticated(seed: number, makeWorld: MakeWorld): Broken | null {
  const prng = new Prng(seed ^ 0xa4)
  const upgraded = { ...upgradeScenario(seed, prng), ...fixed, advertUs: second }
  const found =
    storm(drawStorm(seed, prng), prng, makeWorld) ??
    attack(seed, makeWorld, 'ah') ??
    meetings(seed, prng, makeWorld) ??
    upgradesOf(upgraded, makeWorld, prng)
  return found === null ? null : { ...found, what: `auth_type AH: ${found.what}` }
}

/** One of those of other runs in which it could be written. */
function drawStorm(seed: number, prng: Prng): Scenario {
  const profile = prng.pick(['storm', 'changes'] as const)
  for (;;) {
    const { bfd, ...scenario } = drawScenario(seed, prng, profile, hours)
    if (scenario.version === 2 && scenario.family === 4) return { ...scenario, ...fixed }
  }
}

function storm(scenario: Scenario, prng: Prng, makeWorld: MakeWorld): Broken | null {
  const agenda = new Agenda()
  const world = makeWorld(scenario, agenda, prng)
  const life = new Life(world, agenda)
  return played('a storm', world, () => life.live(scenario.hours * 3_600 * second))
}

/** One that is better than two of the same priority, which wait for the same time when it resigns. */
function meetings(seed: number, prng: Prng, makeWorld: MakeWorld): Broken | null {
  const hosts = [150, 100, 100].map((priority, i) => plainHost(i + 1, { priority }))
  const lasting = { advertUs: second, lifetimeS: 8, grouped: false, refreshS: 0, hours: 1 } as const
  const scenario: Scenario = { seed, profile: 'storm', ...fixed, ...lasting, hosts }
  const agenda = new Agenda()
  const world = makeWorld(scenario, agenda, prng)
  return played('two that meet', world, () => meet(world, agenda))
}

function meet({ hosts, invariants }: World, agenda: Agenda): void {
  const [best, ...others] = hosts
  assert.ok(best !== undefined)
  const passes = (seconds: number, leader: RegExp, what: string): void => {
    agenda.runUntil(agenda.now + seconds * second)
    const leaders = hosts.filter((host) => leads(host)).map(({ name }) => name)
    assert.match(leaders.join(), leader, what)
  }
  for (const host of hosts) host.start()
  passes(20, /^host1$/, 'the best one leads')
  for (let i = 0; i < 8; i++) {
    invariants.disturb(0, 'stopped', best)
    best.stop()
    passes(3, /^host[23]$/, 'one of two that took over in the same moment yields')
    invariants.disturb(0, 'started again', best)
    best.start()
    passes(10, /^host1$/, 'the best one leads again')
  }
  const check = (which: readonly Host[], good: boolean): void => {
    for (const host of which) {
      invariants.disturb(0, `check ${good ? 'good' : 'bad'}`, host)
      host.setCheck(good)
    }
  }
  check([best], false)
  passes(20, /^host[23]$/, 'another leads while the best one is in FAULT')
  check(others, false)
  passes(1, /^$/, 'none leads')
  check(hosts, true)
  passes(3.5, /^host1$/, 'the best one leads')
  passes(0.5, /^host1$/, 'what it heard in FAULT it goes on from: the others believe it')
}
