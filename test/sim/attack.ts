/**
 * A signed pair with an attacker on its segment, who has recorded its adverts, makes up others and alters some: whatever
 * happens to the pair must happen as if nothing of that were sent.
 */
import assert from 'node:assert/strict'
import { Agenda } from './agenda.ts'
import { flooded } from './flood.ts'
import { again, alteredAdvert, foreignAdvert } from './foreign-adverts.ts'
import type { Host } from './host.ts'
import { plainHost } from './plain-host.ts'
import { type Broken, played } from './played.ts'
import { Prng } from './prng.ts'
import type { HostPlan, Scenario } from './scenario.ts'
import type { Sealing } from './seals.ts'
import type { World } from './world.ts'

const second = 1_000_000

function scenarioOf(seed: number, seal: Sealing): Scenario {
  const family = seal === 'ah' || seed % 8 === 3 ? 4 : 6
  const version = seal === 'ah' || seed % 16 >= 8 ? 2 : 3
  const host = (number: number, priority: number): HostPlan =>
    plainHost(number, { family, priority, warden: seed % 32 < 16 })
  const hosts = [host(1, 150), host(2, 100)]
  const fixed = { seed, profile: 'storm', version, family, advertUs: second, lifetimeS: 8 } as const
  return { ...fixed, grouped: false, refreshS: 0, hosts, hours: 1, seal }
}

const leads = (host: Host): boolean => {
  const slot = host.process?.main.dispatcher.instances[0]?.slot
  return slot !== undefined && host.process?.engine.leads(slot) === true
}

/** null: nothing was noticed. */
export function attack(
  seed: number,
  makeWorld: (scenario: Scenario, agenda: Agenda, prng: Prng) => World,
  seal: Sealing = 'trailer',
): Broken | null {
  const scenario = scenarioOf(seed, seal)
  const agenda = new Agenda()
  const world = makeWorld(scenario, agenda, new Prng(seed))
  const { version, family } = scenario
  return (
    played('under attack', world, () => play(world, agenda)) ??
    flooded(seed, { version, family, seal }, makeWorld)
  )
}

function play(world: World, agenda: Agenda): void {
  const { hosts, lan, prng, foreigner, invariants } = world
  const [first, other] = hosts
  assert.ok(first !== undefined && other !== undefined)
  const pass = (spanUs: number): void => agenda.runUntil(agenda.now + spanUs)
  const leaders = (): string =>
    hosts
      .filter(leads)
      .map(({ name }) => name)
      .join()
  const begin = (what: string): void => invariants.disturb(0, what)
  for (const host of hosts) host.start()
  const ends = [
    again(world, 0.4, () => foreignAdvert(world, 254, 'valid')),
    again(world, 0.3, () => alteredAdvert(world)),
  ]
  pass(30 * second)
  assert.equal(leaders(), 'host1', 'adverts that are unsigned or altered change nothing')
  // Young enough to be within the window of both clocks until the backup must have taken over.
  const recorded = lan.recorded.filter(({ valid }) => valid).slice(-2)
  assert.equal(recorded.length, 2)
  const replays = again(world, 0.2, () =>
    lan.send(foreigner, { ...prng.pick(recorded), valid: false }),
  )
  pass(0.5 * second)
  assert.equal(leaders(), 'host1', 'what was recorded changes nothing')
  begin('crash')
  first.crash()
  pass(4.5 * second)
  assert.equal(leaders(), 'host2', 'a recorded advert keeps no backup quiet')
  pass(3 * second)
  assert.equal(leaders(), 'host2', 'a recorded advert takes no lead away')
  // A process that has just started knows no sender yet.
  replays()
  begin('started again')
  first.start()
  pass(8 * second)
  assert.equal(leaders(), 'host1', 'a master that comes back is believed')
  begin('stopped')
  first.stop()
  pass(2 * second)
  assert.equal(leaders(), 'host2', 'a signed resignation is heard')
  for (const end of ends) end()
}
