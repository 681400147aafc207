/**
 * The core of the BFD sessions (the C++ class that their thread drives) in virtual time, for tests and the simulator. One
 * turn is: any number of orders and packets, then `tick`.
 */
import { loadAddon } from '../../src/addon/load.ts'
import { assert } from '../../src/base/assert.ts'
import { type Ip, ipBytes, ipFromBytes } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { Addon, NativeBfdCore, NativeBfdOutcome } from '../../src/engine/addon.ts'
import { fromNativeCounters } from '../../src/engine/bfd.ts'
import type {
  BfdCounters,
  BfdSessionId,
  BfdSpec,
  BfdStanding,
} from '../../src/engine/bfd-contract.ts'
import type { SlotId } from '../../src/engine/order.ts'

type BfdOutcome = Pick<NativeBfdOutcome, 'sends' | 'events'> & {
  /** What the thread tells the engine at once. */
  readonly lost: readonly { readonly master: Ip; readonly slots: readonly SlotId[] }[]
}

type BfdArrival = {
  readonly from: Ip
  readonly to: Ip
  readonly ttl: number
  readonly bytes: Uint8Array
  /** The kernel's arrival stamp. */
  readonly at: Us
}

export type BfdCoreHarness = {
  add(spec: BfdSpec): void
  remove(session: BfdSessionId): void
  order(session: BfdSessionId, standing: BfdStanding, now: Us): void
  /** False for one that is no session's. */
  packet(packet: BfdArrival): boolean
  tick(now: Us): BfdOutcome
  /** To be passed on: all that was raised by now is judged. */
  offer(): void
  /** Goes on where that core ends; null: it has told nothing. Sessions there, and here. */
  takeFrom(
    before: BfdCoreHarness | null,
    sessions: readonly (readonly [BfdSessionId, BfdSessionId])[],
    now: Us,
  ): void
  nextDeadline(): Us | null
  counters(session: BfdSessionId): BfdCounters
}

export function makeBfdCore(seed: number): BfdCoreHarness {
  const { BfdCore } = loadAddon() as Addon
  const core = new BfdCore(seed)
  const harness: BfdCoreHarness = {
    add: ({ session, discriminator, peer, local, minTtl }) =>
      core.add(
        session,
        discriminator,
        ipBytes(peer),
        local === null ? null : ipBytes(local),
        minTtl,
      ),
    remove: (session) => core.remove(session),
    order: (session, standing, at) => core.order(session, standing, at),
    packet: ({ from, to, ttl, bytes, at }) =>
      core.packet(ipBytes(from), ipBytes(to), ttl, bytes, at),
    tick: (at) => {
      const { sends, events, lost } = core.tick(at)
      const named = lost.map(({ master, slots }) => ({ master: ipFromBytes(master), slots }))
      return { sends, events, lost: named }
    },
    offer: () => core.offer(),
    takeFrom: (before, sessions, at) => {
      const other = before === null ? null : cores.get(before)
      assert(other !== undefined, 'a core of this harness')
      core.takeFrom(other, sessions.flat(), at)
    },
    nextDeadline: () => {
      const next = core.nextDeadline()
      return next === null ? null : us(next)
    },
    counters: (session) => fromNativeCounters(core.counters(session)),
  }
  cores.set(harness, core)
  return harness
}

const cores = new WeakMap<BfdCoreHarness, NativeBfdCore>()
