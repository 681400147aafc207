/**
 * BFD's thread of one daemon process: its sockets fill while the host sleeps, and what it loses reaches the engine's
 * thread a moment later, as soon as that one runs.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { BfdEngineEvent } from '../../src/engine/bfd-contract.ts'
import type { SlotId } from '../../src/engine/order.ts'
import { type Arrived, SimBfd } from './bfd.ts'
import type { Host } from './host.ts'
import { queuedMax } from './lan.ts'
import { betweenThreadsUs } from './latency.ts'
import { Timer } from './timer.ts'
import type { Surroundings } from './witness.ts'

export type BfdThreadPorts = {
  /** The process has not ended. */
  alive(): boolean
  onMain(task: () => void): void
  /** The main thread takes them up. */
  deliver(events: readonly BfdEngineEvent[]): void
  /** The engine's thread is told. */
  loseMaster(master: Ip, slots: readonly SlotId[]): void
}

export class BfdThread {
  readonly bfd: SimBfd
  readonly #host: Host
  readonly #around: Surroundings
  readonly #ports: BfdThreadPorts
  readonly #wake: Timer
  #lostAsleep: (() => void)[] = []
  #queue: Arrived[] = []

  constructor(host: Host, around: Surroundings, ports: BfdThreadPorts) {
    this.#host = host
    this.#around = around
    this.#ports = ports
    this.#wake = new Timer(around.agenda, () => this.#onWake())
    this.bfd = this.#makeBfd()
  }

  receive(arrived: Arrived): void {
    this.#around.witness.bfdHeard(this.#host, arrived.packet, arrived.at)
    if (!this.#host.asleep) return this.bfd.receive([arrived])
    if (this.#queue.length < queuedMax) this.#queue.push(arrived)
  }

  /** After a sleep. */
  resume(): void {
    const arrived = this.#queue
    this.#queue = []
    const lost = this.#lostAsleep
    this.#lostAsleep = []
    this.bfd.receive(arrived)
    for (const tell of lost) tell()
  }

  #makeBfd(): SimBfd {
    const host = this.#host
    const { agenda, lan, prng, scenario, witness } = this.#around
    return new SimBfd(scenario.bfd === undefined ? 0 : prng.between(1, 1_000_000), {
      now: () => host.now(),
      opens: () => host.opens,
      holds: (address) => host.kernel.holds(address),
      send: (packet) => {
        witness.bfdSent(host, packet)
        if (host.kernel.up) lan.bfd(host.port, packet)
      },
      wakeAt: (local) => this.#wake.set(local === null ? null : host.clock.when(local)),
      raised: () => {
        witness.raised(host)
        this.#ports.onMain(() => this.bfd.deliver((events) => this.#ports.deliver(events)))
      },
      lost: (master, slots) =>
        agenda.after(prng.between(2, betweenThreadsUs), () => this.#lost(master, slots)),
    })
  }

  #lost(master: Ip, slots: readonly SlotId[]): void {
    if (!this.#ports.alive()) return
    if (this.#host.asleep) this.#lostAsleep.push(() => this.#lost(master, slots))
    else this.#ports.loseMaster(master, slots)
  }

  #onWake(): void {
    if ((this.#ports.alive() || this.bfd.lingers) && !this.#host.asleep) this.bfd.wake()
  }
}
