/**
 * A master's routes and rules in the kernel: put back when another program removes them, asked for again when the kernel
 * refused them, and after an interface that they lead over has come back. None of it touches the election.
 */
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import { addEntry, type EntryFacts, restoreEntry } from '../../engine/plans-entries.ts'
import type { EntryGone } from '../../kernel/mirror.ts'
import { encodeRouteTakeBack } from '../../wire/rtnetlink-route.ts'
import { waitingRoutes } from '../binding/entry-facts.ts'
import type { AddressKeeperPorts, Holder } from './address-keeper.ts'
import { contested, Restorer } from './restorer.ts'

const againUs = { first: 1_000_000, longest: 60_000_000 }

export class EntryKeeper {
  readonly #ports: Omit<AddressKeeperPorts, 'giveUpLead'>
  readonly #restorer = new Restorer()
  /** Altered by ourselves, which the kernel tells as a removal; by identity. */
  readonly #altered = new Set<string>()
  /** Another route is in its place, until it is put back; by identity. */
  readonly #replaced = new Set<string>()
  /** What the kernel refused and why, by identity. */
  readonly #refused = new Map<string, string>()
  #refusals = 0
  #againAt: Us | null = null

  constructor(ports: Omit<AddressKeeperPorts, 'giveUpLead'>) {
    this.#ports = ports
  }

  /** Another program removed it, or put a route in its place. */
  vanished({ identity, replaced }: EntryGone, holder: Holder): void {
    const { cfg, facts, now } = holder
    const lost = facts.entries.find((it) => it.identity === identity && it.track)
    if (lost === undefined) return
    if (!replaced && this.#altered.delete(identity))
      return this.#ports.orders.once([addEntry(lost)])
    this.#restorer.lost(identity, now)
    if (replaced) this.#replaced.add(identity)
    const how = `was ${replaced ? 'replaced' : 'removed'} by another program: put back`
    const text = `(${cfg.name}) the ${lost.kind} ${lost.text} ${how}`
    this.#ports.log.write(cfg.name, { kind: 'log', level: 'warning', text }, now)
    this.restore(holder)
  }

  /** An interface changed, or an address was put back: the kernel drops routes with them, and does not always say so. */
  hold({ facts }: Pick<Holder, 'facts'>): void {
    if (facts.entries.length > 0) this.#ports.orders.once(facts.entries.map(addEntry))
  }

  /** Those that keep their identity are removed and set again in one request. */
  alter(before: SlotFacts | null, now: SlotFacts | null): void {
    const had = new Map((before?.entries ?? []).map((it) => [it.identity, it]))
    for (const { identity, add } of now?.entries ?? []) {
      const earlier = had.get(identity)
      if (earlier !== undefined && Buffer.compare(earlier.add, add) !== 0)
        this.#altered.add(identity)
    }
  }

  /** What is due of what was put off. */
  restore({ facts, now }: Omit<Holder, 'cfg'>): void {
    const due = this.#restorer.take(now).flatMap(({ key, add }) => (add ? [key] : []))
    const again = this.#againAt !== null && this.#againAt <= now ? [...this.#refused.keys()] : []
    if (again.length > 0) {
      this.#refused.clear()
      this.#againAt = null
    }
    const wanted = new Set([...due, ...again])
    const entries = facts.entries.filter(({ identity }) => wanted.has(identity))
    if (entries.length === 0) return
    this.#ports.orders.once(
      entries.map((it) => restoreEntry(it, this.#replaced.delete(it.identity))),
    )
  }

  /** A request of the standing lead failed: true when it was about a route or a rule. */
  refused(request: Uint8Array, why: string, { facts, now }: Omit<Holder, 'cfg'>): boolean {
    const isIt = (bytes: Uint8Array) => Buffer.compare(bytes, request) === 0
    const it = facts.entries.find(({ add }) => isIt(add) || isIt(encodeRouteTakeBack(add)))
    if (it === undefined) return false
    this.#refused.set(it.identity, why)
    if (this.#againAt !== null) return true
    this.#againAt = us(now + Math.min(againUs.first * 2 ** this.#refusals, againUs.longest))
    this.#refusals += 1
    return true
  }

  /** The lead has begun or ended. */
  newState(): void {
    this.#restorer.end()
    this.#altered.clear()
    this.#replaced.clear()
    this.#refused.clear()
    this.#refusals = 0
    this.#againAt = null
  }

  /** When `restore` has something to do for a master; null: never. */
  restoreAt(now: Us): Us | null {
    const due = this.#restorer.due(now)
    if (due === null || this.#againAt === null) return due ?? this.#againAt
    return us(Math.min(due, this.#againAt))
  }

  /** What a master lacks or has to fight for, one sentence each. */
  warnings(cfg: Instance, entries: readonly EntryFacts[], now: Us): readonly string[] {
    const named = (identity: string) => {
      const it = entries.find((entry) => entry.identity === identity)
      return it === undefined ? null : `the ${it.kind} ${it.text}`
    }
    const waiting = waitingRoutes(cfg, this.#ports.kernel).map(
      (it) => `${cfg.name} is MASTER, and the route ${it.text} waits for interface ${it.interface}`,
    )
    const refused = [...this.#refused].flatMap(([identity, why]) => {
      const what = named(identity)
      return what === null ? [] : [`${cfg.name} is MASTER, but the kernel refuses ${what}: ${why}`]
    })
    const removed = this.#restorer.contestedAt(now).flatMap(({ key, inUs }) => {
      const [what, seconds] = [named(key), Math.ceil(inUs / 1_000_000)]
      if (what === null) return []
      return [
        `${cfg.name}: ${what} was removed ${contested.losses} times in ${seconds} s by another program, and put back each time`,
      ]
    })
    return [...waiting, ...refused, ...removed]
  }
}
