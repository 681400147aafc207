/**
 * Hosts whose daemons are upgraded again and again, at any instant, and whose processes are killed, stopped and delayed at
 * each step of it. By what the wire and the kernels show: no advert is missed or sent twice, nothing is announced, nothing
 * changes hands; one warden acts where one has to, and never two; no sequence is used twice and no replay mark is lowered.
 */
import assert from 'node:assert/strict'
import { readSync, writeSync } from 'node:fs'
import { loadAddon } from '../../src/addon/load.ts'
import { enginePolicy } from '../../src/engine/policy.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { stateVersion } from '../../src/router/dispatch/router-state.ts'
import { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import { fair } from './lan.ts'
import { answerUs } from './latency.ts'
import { leads, type MakeWorld, second } from './pair.ts'
import { plainHost } from './plain-host.ts'
import { Prng } from './prng.ts'
import type { Process } from './process.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import { settleUs } from './times.ts'
import { type Step, steps, type Upgrade } from './upgrade.ts'
import { UpgradeRules } from './upgrade-rules.ts'
import type { World } from './world.ts'

const rounds = 12
/** As long as slots can be given for, and a main thread's answer. */
const putBackUs = enginePolicy.exchangeUs.takenMost + answerUs

export function upgradeScenario(seed: number, prng: Prng): Scenario {
  const advertUs = prng.pick([10_000, 10_000, 50_000, 100_000, 500_000, second])
  const family = prng.chance(0.2) ? 6 : 4
  const spread = prng.pick([0, 0.0002, 0.01])
  const host = (number: number, priority: number): HostPlan =>
    plainHost(number, {
      family,
      priority,
      clockRate: 1 + spread * (2 * prng.next() - 1),
      clockOffset: prng.between(0, 1_000_000) * second,
    })
  const hosts = [host(1, 200), host(2, 150), ...(prng.chance(0.3) ? [host(3, 100)] : [])]
  const leased = advertUs >= 100_000 && prng.chance(0.3) ? { lease: { tickUs: 4_000 } } : {}
  const fixed = { seed, profile: 'storm', version: 3, lifetimeS: 8, refreshS: 0, hours: 1 } as const
  const grouped = prng.chance(0.3)
  const seal = prng.chance(0.5) ? { seal: 'trailer' as const } : {}
  return { ...fixed, family, advertUs, grouped, hosts, ...seal, ...leased }
}

const addon = loadAddon() as {
  exchangeDescriptors(exchange: ExchangeHandle): readonly [number, number, number]
}

/** One octet of what was written; the entries begin at the second page (native/base/exchange.h). */
function alterPage(exchange: ExchangeHandle, prng: Prng): void {
  const [memory] = addon.exchangeDescriptors(exchange)
  const octet = Buffer.alloc(1)
  const at = 4_096 + prng.between(0, 3 * 56)
  readSync(memory, octet, 0, 1, at)
  octet[0] = (octet[0] ?? 0) ^ (1 << prng.between(0, 7))
  writeSync(memory, octet, 0, 1, at)
}

/** null: nothing was broken. */
export function upgrades(
  seed: number,
  makeWorld: MakeWorld,
): { readonly what: string; readonly trace: readonly string[] } | null {
  const prng = new Prng(seed ^ 0x0b_9a_de)
  return upgradesOf(upgradeScenario(seed, prng), makeWorld, prng)
}

/** In that scenario, in which the first host is the best one. */
export function upgradesOf(
  scenario: Scenario,
  makeWorld: MakeWorld,
  prng: Prng,
): { readonly what: string; readonly trace: readonly string[] } | null {
  const agenda = new Agenda()
  const world = makeWorld(scenario, agenda, prng)
  try {
    new Play(world, agenda).run()
    return null
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { what: `upgrades: ${what}`, trace: [...world.invariants.trace] }
  }
}

/** What happens beside an upgrade, once it has come to that step. */
type Event = (upgrade: Upgrade, host: Host) => void
type Round = {
  readonly name: string
  /** The host is the one that it was: a peer notices nothing. */
  readonly unnoticed: boolean
  /** Nothing prevents the upgrade. */
  readonly succeeds: boolean
  readonly at: Step | null
  readonly happens: Event
  readonly alterState?: (state: object) => object
}

const nothing: Event = () => undefined
const beforeTaken = steps.slice(0, steps.indexOf('taken'))
const afterwards = steps.slice(steps.indexOf('taken'))

class Play {
  readonly #world: World
  readonly #agenda: Agenda
  readonly #rules: UpgradeRules
  /** Wardens that were asked since the round began, and how many of them acted. */
  #asked = 0
  #acted = 0
  #running: Upgrade | null = null

  constructor(world: World, agenda: Agenda) {
    this.#world = world
    this.#agenda = agenda
    this.#rules = new UpgradeRules(world, agenda)
  }

  run(): void {
    const { hosts, prng } = this.#world
    for (const host of hosts) host.start()
    this.#rest()
    for (let i = 0; i < rounds; i++) {
      for (let calm = prng.between(1, 5); calm > 0; calm--) this.#upgrade(this.#plain)
      this.#upgrade(prng.pick(this.#rounds))
    }
  }

  get #plain(): Round {
    return { name: 'plain', unnoticed: true, succeeds: true, at: null, happens: nothing }
  }

  get #rounds(): readonly Round[] {
    const { prng, invariants, scenario } = this.#world
    const quiet = { unnoticed: true, succeeds: false }
    const unrest = { unnoticed: false, succeeds: false }
    const kill = (host: Host, process: Process | null): void => {
      if (process?.alive !== true) return
      host.kill(process, (acted) => this.#warden(acted))
      this.#running?.ended(process)
    }
    const span = () => Math.floor(scenario.advertUs * prng.pick([0.02, 0.3, 1, 3, 6]))
    return [
      {
        ...quiet,
        name: 'the second is killed before it has taken',
        at: prng.pick(beforeTaken),
        happens: (upgrade, host) => {
          if (!upgrade.taken) kill(host, upgrade.second)
        },
      },
      {
        ...unrest,
        name: 'the first is killed',
        at: prng.pick(beforeTaken),
        happens: (upgrade, host) => {
          invariants.disturb(0, 'the first is killed', host)
          kill(host, upgrade.first)
        },
      },
      {
        ...quiet,
        succeeds: true,
        name: 'the first is killed when the slots are taken',
        at: prng.pick(afterwards),
        happens: (upgrade, host) => kill(host, upgrade.first),
      },
      {
        ...unrest,
        name: 'the second is killed when it has taken',
        at: prng.pick(afterwards),
        happens: (upgrade, host) => {
          invariants.disturb(0, 'the second is killed', host)
          kill(host, upgrade.second)
        },
      },
      {
        ...unrest,
        name: 'both are killed',
        at: prng.pick(steps),
        happens: (upgrade, host) => {
          invariants.disturb(0, 'both are killed', host)
          const one = prng.chance(0.5) ? upgrade.first : upgrade.second
          kill(host, one)
          const apart = prng.pick([0, 0, 30, 800])
          this.#agenda.after(apart, () => {
            for (const process of [upgrade.first, upgrade.second]) kill(host, process)
          })
        },
      },
      {
        ...unrest,
        name: 'the first stands still',
        at: prng.pick(steps),
        happens: (upgrade, host) => this.#freeze(host, upgrade.first, span()),
      },
      {
        ...unrest,
        name: 'the second stands still',
        at: prng.pick(steps),
        happens: (upgrade, host) => {
          if (upgrade.second !== null) this.#freeze(host, upgrade.second, span())
        },
      },
      {
        ...unrest,
        name: 'an address is deleted',
        at: prng.pick(steps),
        happens: (_, host) => {
          // It is put back when the slots are taken, or have been taken back.
          invariants.disturb(1, 'address deleted', host)
          host.kernel.remove(prng.pick(vipsOf(scenario)).address)
          this.#agenda.after(putBackUs, () => invariants.disturb(-1, 'put back', host))
        },
      },
      {
        ...unrest,
        name: 'a check fails for a while',
        at: prng.pick(steps),
        happens: (_, host) => {
          invariants.disturb(0, 'check bad', host)
          host.setCheck(false)
          this.#agenda.after(2 * second, () => {
            invariants.disturb(0, 'check good', host)
            host.setCheck(true)
          })
        },
      },
      {
        ...quiet,
        name: 'another version of the state',
        at: null,
        happens: nothing,
        alterState: (state) => ({ ...state, version: stateVersion + prng.pick([-1, 1]) }),
      },
      {
        ...quiet,
        name: 'the page is damaged',
        at: 'given',
        happens: (upgrade) => alterPage(upgrade.exchange, prng),
      },
      {
        ...unrest,
        name: 'bad weather',
        at: 'prepared',
        happens: () => {
          const { lan } = this.#world
          invariants.disturb(1, 'bad weather')
          lan.weather = { ...fair, loss: prng.pick([0.05, 0.3]), duplication: 0.2 }
          this.#agenda.after(20 * scenario.advertUs, () => {
            invariants.disturb(-1, 'fair weather')
            lan.weather = fair
          })
        },
      },
    ]
  }

  #freeze(host: Host, process: Process, spanUs: number): void {
    const { invariants } = this.#world
    if (!process.alive) return
    invariants.disturb(1, 'stands still', host)
    host.freeze(process, spanUs)
    this.#agenda.after(spanUs + 1, () => invariants.disturb(-1, 'goes on', host))
  }

  #warden(acted: boolean): void {
    this.#asked += 1
    this.#acted += acted ? 1 : 0
  }

  #upgrade(round: Round): void {
    const { hosts, prng, scenario, invariants } = this.#world
    this.#pass(prng.between(0, 3 * scenario.advertUs))
    const host = prng.pick(hosts)
    invariants.note(`${host.name} is upgraded: ${round.name}${round.at ? ` (${round.at})` : ''}`)
    this.#asked = this.#acted = 0
    let happened = false
    const was = host.process
    const upgrade = host.upgrade({
      alterState: round.alterState ?? ((state) => state),
      wakeUs: () => prng.pick([15, 60, 250, prng.between(10, 3_000), prng.between(10, 150_000)]),
      takeUs: () =>
        prng.pick([2, 10, 40, prng.between(10, 5_000), prng.between(10, 3 * scenario.advertUs)]),
      onStep: (step, it) => {
        invariants.note(`${host.name}: ${step}`)
        if (step === 'given') this.#rules.given(it)
        if (step === 'taken') this.#rules.taken(it)
        if (step !== round.at || happened) return
        happened = true
        const delay = prng.pick([0, 0, 1, 20, 300])
        this.#agenda.after(delay, () => round.happens(it, host))
      },
    })
    assert.ok(upgrade !== null && was !== null)
    this.#running = upgrade
    const end = this.#agenda.now + 40 * second
    while (!upgrade.over && this.#agenda.now < end) this.#pass(scenario.advertUs)
    assert.ok(upgrade.over, 'an upgrade never ends')
    this.#pass(4 * scenario.advertUs + 20_000)
    this.#judge(round, host, was, upgrade)
    if (!round.unnoticed || host.process === null) this.#mend(host)
  }

  #judge(round: Round, host: Host, was: Process, upgrade: Upgrade): void {
    const { scenario } = this.#world
    if (round.succeeds)
      assert.ok(upgrade.refused === null && upgrade.taken, `refused: ${upgrade.refused}`)
    if (round.unnoticed) this.#judgeUnnoticed(host, upgrade.taken ? upgrade.second : was)
    if (round.unnoticed && upgrade.taken) this.#rules.heardOnce(upgrade.second)
    const died = [upgrade.first, upgrade.second].every((it) => it?.alive !== true)
    if (died && this.#asked >= 2) assert.equal(this.#acted, 1, 'wardens that acted')
    if (host.process === null)
      for (const { address } of vipsOf(scenario))
        assert.ok(!host.kernel.holds(address), `${address} is left behind`)
  }

  #judgeUnnoticed(host: Host, expected: Process | null): void {
    assert.ok(this.#world.invariants.settled, 'something was noticed')
    assert.ok(host.process === expected, 'another process has the slots')
    if (this.#asked > 0) assert.equal(this.#acted, 0, 'a warden acted')
  }

  #mend(host: Host): void {
    const { invariants } = this.#world
    if (host.process === null) {
      host.start()
      invariants.disturb(0, 'started again', host)
    }
    this.#rest()
  }

  #rest(): void {
    const { hosts, scenario, invariants } = this.#world
    const end = this.#agenda.now + 3 * settleUs(scenario)
    while (!invariants.settled && this.#agenda.now < end) this.#pass(10 * scenario.advertUs)
    const leaders = hosts.filter((host) => leads(host)).map(({ name }) => name)
    assert.deepEqual(leaders, ['host1'])
    assert.ok(invariants.settled)
  }

  #pass(spanUs: number): void {
    this.#agenda.runUntil(this.#agenda.now + Math.ceil(spanUs))
    this.#world.invariants.check()
  }
}
