/** Two hosts that have come to rest, for one thing at a time to happen to them. */
import assert from 'node:assert/strict'
import { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import { plainHost } from './plain-host.ts'
import { Prng } from './prng.ts'
import type { HostPlan, Scenario } from './scenario.ts'
import type { World } from './world.ts'

export const second = 1_000_000

export type MakeWorld = (scenario: Scenario, agenda: Agenda, prng: Prng) => World

export class Pair {
  readonly agenda = new Agenda()
  readonly world: World
  readonly a: Host
  readonly b: Host

  /** `more`: of the scenario, whose seed decides what is drawn. */
  constructor(
    makeWorld: MakeWorld,
    a: Partial<HostPlan> = {},
    b: Partial<HostPlan> = {},
    more: Partial<Scenario> = {},
  ) {
    const scenario: Scenario = {
      seed: 1,
      profile: 'storm',
      version: 3,
      family: 4,
      advertUs: second,
      lifetimeS: 8,
      grouped: false,
      refreshS: 0,
      hosts: [plainHost(1, { priority: 150, ...a }), plainHost(2, { priority: 100, ...b })],
      hours: 1,
      addressConflict: 'resign',
      ...more,
    }
    this.world = makeWorld(scenario, this.agenda, new Prng(scenario.seed))
    const [first, other] = this.world.hosts
    assert.ok(first !== undefined && other !== undefined)
    this.a = first
    this.b = other
    for (const host of this.world.hosts) host.start()
    this.pass(20 * second)
    assert.deepEqual(this.leaders, ['host1'])
  }

  get leaders(): readonly string[] {
    return this.world.hosts.filter((host) => leads(host)).map((host) => host.name)
  }

  pass(spanUs: number): void {
    this.agenda.runUntil(this.agenda.now + spanUs)
  }

  /** How long until it is so. */
  until(what: () => boolean, atMostUs: number): number {
    const from = this.agenda.now
    while (!what()) {
      assert.ok(this.agenda.now - from <= atMostUs, `not within ${atMostUs} µs: ${this.leaders}`)
      this.pass(100)
    }
    return this.agenda.now - from
  }

  disturb(): void {
    this.world.invariants.disturb(0, 'test')
  }
}

export const leads = (host: Host): boolean => {
  const slot = host.process?.main.dispatcher.instances[0]?.slot
  return slot !== undefined && host.process?.engine.leads(slot) === true
}
