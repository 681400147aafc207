/** What surrounds a host: what all hosts of a run share, and who is told of what it does. */
import type { Us } from '../../src/base/time.ts'
import type { SlotId } from '../../src/engine/order.ts'
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import type { Lan, Packet } from './lan.ts'
import type { Prng } from './prng.ts'
import type { Process } from './process.ts'
import type { Scenario } from './scenario.ts'
import type { Signed } from './seals.ts'

/** What the invariants are told of a host. */
export type Witness = {
  /** `process`: by which; it may have ended, and its warden send it. */
  sent(host: Host, process: Process, slot: SlotId, signed: Signed): void
  /** Its slots are given to another process, for the moment. */
  gave(host: Host): void
  heard(host: Host, packet: Packet): void
  bfdSent(host: Host, packet: Packet): void
  /** `at`: when it arrived. */
  bfdHeard(host: Host, packet: Packet, at: Us): void
  /** The main thread has acknowledged everything that was heard. */
  caughtUp(host: Host): void
  /** `adopted`: as the process before it did. */
  standing(host: Host, slot: SlotId, leading: boolean, adopted: boolean): void
  woken(host: Host, effects: ReadonlyMap<SlotId, number>): void
  /** The host is about to wake up after so many µs of its own. */
  slept(host: Host, spanUs: number): void
  /** Its BFD sessions are to be taken from a thread that will not give them. */
  bfdSeized(host: Host): void
  /** Something waits for the main thread. */
  raised(host: Host): void
  said(host: Host, text: string): void
  /** A reload has been applied, or was refused. */
  reloaded(host: Host, refused: boolean): void
  /** `after` goes on where `before` ended; what it took over, and what it would pass on itself. */
  exchanged(host: Host, before: Process, after: Process, passed: readonly [string, string]): void
  /** The same in a run that may be settled, and stays so. */
  upgraded(host: Host, before: Process, after: Process, passed: readonly [string, string]): void
  /** Something was ordered that must not be. */
  mistaken(host: Host, what: string): void
}

export type Surroundings = {
  readonly scenario: Scenario
  readonly agenda: Agenda
  readonly prng: Prng
  readonly lan: Lan
  readonly witness: Witness
}
