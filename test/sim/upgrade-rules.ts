/** What an upgrade must not show on the wire, and must not forget: looked at by a port of the LAN, and in the two engines. */
import { enginePolicy } from '../../src/engine/policy.ts'
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import type { Process } from './process.ts'
import { type Signed, sequenceOf } from './seals.ts'
import type { Upgrade } from './upgrade.ts'
import { violate } from './violation.ts'
import type { World } from './world.ts'

/** A clock that runs faster than true time skips. */
const clockStepUs = 10

/** When it sent an advert last, by its own clock, with which sequence, and how late it was. */
type Last = { readonly at: number; readonly sequence: bigint; readonly late: number }

export class UpgradeRules {
  readonly #world: World
  readonly #agenda: Agenda
  /** By router. */
  readonly #sent = new Map<string, Last>()

  constructor(world: World, agenda: Agenda) {
    this.#world = world
    this.#agenda = agenda
    world.invariants.onSent = (host, signed) => this.#advert(host, signed)
    world.lan.attach({ receive: () => undefined, frame: () => this.#announced() })
  }

  #advert(host: Host, signed: Signed): void {
    const { bytes } = signed
    const { invariants, scenario } = this.#world
    const router = `${host.name} ${bytes[1]}`
    const before = this.#sent.get(router)
    const at = host.now()
    const sequence = scenario.seal === undefined ? 0n : sequenceOf(signed)
    const gap = at - (before?.at ?? at)
    const late = Math.min(Math.max(0, gap - scenario.advertUs), enginePolicy.exchangeUs.takenLeast)
    this.#sent.set(router, { at, sequence, late })
    if (invariants.settled && bytes[2] === 0) this.#violate('it resigns in a settled run', host)
    if (before === undefined) return
    if (scenario.seal !== undefined && sequence <= before.sequence)
      this.#violate(`sequence ${sequence} after ${before.sequence}`, host)
    // Too long is a rule of every run. What was late puts off nothing.
    if (invariants.settled && gap < scenario.advertUs - before.late - clockStepUs)
      this.#violate(`an advert ${gap} µs after one`, host)
  }

  #announced(): void {
    if (this.#world.invariants.settled) this.#violate('something is announced in a settled run')
  }

  /** Nothing may be said by the first from here on, until it has its slots back. */
  given({ first }: Upgrade): void {
    if (!first.engine.given) this.#violate('given, and not silent')
  }

  /** What the second knows is not older than what the first knew. */
  taken({ first, second }: Upgrade): void {
    if (second === null) return
    for (const [slot, own] of pairs(first, second)) {
      const before = first.engine.sealMemory(slot)
      const after = second.engine.sealMemory(own)
      if (after.sent < before.sent) this.#violate(`a sequence is lowered to ${after.sent}`)
      for (const { address, sequence } of before.heard) {
        const mark = after.heard.find((one) => one.address === address)
        if (mark === undefined || mark.sequence < sequence)
          this.#violate(`the replay mark of ${address} is lowered`)
      }
    }
  }

  /** What both processes had read is no replay. */
  heardOnce(second: Process | null): void {
    for (const { slot } of second?.main.dispatcher.instances ?? [])
      if (second !== null && second.engine.counters(slot).seals.replayed > 0)
        this.#violate('what the first had judged is taken for a replay')
  }

  #violate(what: string, host: Host | null = null): never {
    violate(this.#agenda.now, host, what)
  }
}

const pairs = (first: Process, second: Process) =>
  first.main.dispatcher.instances.flatMap(({ name, slot }) => {
    const own = second.main.dispatcher.instances.find((it) => it.name === name)?.slot
    return own === undefined ? [] : [[slot, own] as const]
  })
