/** What an upgrade must not show on the wire, and must not forget: looked at by a port of the LAN, and in the two engines. */
import { viewOf } from '../../src/base/bytes.ts'
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import type { Process } from './process.ts'
import type { Upgrade } from './upgrade.ts'
import { violate } from './violation.ts'
import type { World } from './world.ts'

/** Of a trailer, from its end. */
const sequenceOctets = 24
const sequenceOf = (bytes: Uint8Array): bigint =>
  viewOf(bytes).getBigUint64(bytes.length - sequenceOctets)
/** A clock that runs faster than true time skips. */
const clockStepUs = 10

export class UpgradeRules {
  readonly #world: World
  readonly #agenda: Agenda
  /** By router: when it sent an advert last, by its own clock, and with which sequence. */
  readonly #sent = new Map<string, { readonly at: number; readonly sequence: bigint }>()

  constructor(world: World, agenda: Agenda) {
    this.#world = world
    this.#agenda = agenda
    world.invariants.onSent = (host, bytes) => this.#advert(host, bytes)
    world.lan.attach({ receive: () => undefined, frame: () => this.#announced() })
  }

  #advert(host: Host, bytes: Uint8Array): void {
    const { invariants, scenario } = this.#world
    const router = `${host.name} ${bytes[1]}`
    const before = this.#sent.get(router)
    const at = host.now()
    const sequence = scenario.sealed === true ? sequenceOf(bytes) : 0n
    this.#sent.set(router, { at, sequence })
    if (invariants.settled && bytes[2] === 0) this.#violate('it resigns in a settled run', host)
    if (before === undefined) return
    if (scenario.sealed === true && sequence <= before.sequence)
      this.#violate(`sequence ${sequence} after ${before.sequence}`, host)
    const gap = at - before.at
    // Too long is a rule of every run.
    if (invariants.settled && gap < scenario.advertUs - clockStepUs)
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
