/**
 * Addresses, routes and rules that are in the kernel while the daemon runs, on a backup too: set before the first
 * instance takes part, put back when another program removes them or an interface comes back, removed when the daemon
 * stops. A killed daemon leaves them, as the host's traffic may need them; the next start, or `vipd cleanup`, knows them.
 *
 * They belong to no slot. What is asked of the kernel is asked in order, and nothing waits for the answer but a start, a
 * reload and a stop.
 */
import { OpError } from '../../base/errors.ts'
import { ipFamily } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { type Us, us } from '../../base/time.ts'
import { noStatics, type Statics } from '../../config/statics.ts'
import type { Engine } from '../../engine/contract.ts'
import type { AddressFacts } from '../../engine/plans-addresses.ts'
import type { AddressAltered } from '../../kernel/address-table.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { Kernel, KernelChange, KernelView } from '../../kernel/mirror.ts'
import type { StatusStatic } from '../../report/status.ts'
import { identityOfHeld, networkOf } from '../../wire/address-identity.ts'
import { encodeRouteTakeBack } from '../../wire/rtnetlink-route.ts'
import { isAltered } from '../binding/altered-address.ts'
import {
  ownedStatics,
  type StaticFact,
  staticDifference,
  staticFacts,
  staticInterfaces,
} from '../binding/static-facts.ts'
import { takenAlong } from '../binding/taken-along.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import { Refusals } from './refusals.ts'
import { contested, Restorer } from './restorer.ts'
import type { SharedEntries } from './shared-entries.ts'
import { describeStatics } from './static-status.ts'

export type StaticEntriesPorts = {
  readonly engine: Pick<Engine, 'request' | 'now'>
  readonly kernel: KernelView & Pick<Kernel, 'hasAgain'>
  readonly shared: SharedEntries
  readonly log: Log
  /** False until `recorded` is called. */
  claim(objects: readonly OwnedObject[]): boolean
  /** `dueAt` says something else now. */
  rescheduled(): void
}

const gone: readonly string[] = ['EADDRNOTAVAIL', 'ENODEV', 'ESRCH', 'ENOENT']
const there: readonly string[] = ['EEXIST']

export class StaticEntries {
  readonly #ports: StaticEntriesPorts
  readonly #log: RateLimitedLog
  readonly #restorer = new Restorer()
  readonly #refusals = new Refusals()
  /** Removed by ourselves, or by the kernel with it, and not yet answered; by identity. */
  readonly #removing = new Set<string>()
  /** Another route is in its place, until it is put back; by identity. */
  readonly #replaced = new Set<string>()
  #wanted = noStatics
  /** What the kernel has been asked to hold. */
  #facts: readonly StaticFact[] = []
  #interfaces: ReadonlySet<string> = new Set()
  /** The record does not name yet what is wanted. */
  #waiting = false
  #unanswered = 0
  #waiters: (() => void)[] = []

  constructor(ports: StaticEntriesPorts) {
    this.#ports = ports
    this.#log = new RateLimitedLog(ports.log)
  }

  /** From now on these, instead of those before: only what differs is written. */
  set(wanted: Statics): void {
    this.#wanted = wanted
    this.#interfaces = new Set(staticInterfaces(wanted))
    this.#follow()
  }

  /** What another process has set already. */
  adopt(wanted: Statics, refused: ReturnType<StaticEntries['snapshot']>): void {
    this.#wanted = wanted
    this.#interfaces = new Set(staticInterfaces(wanted))
    this.#facts = staticFacts(wanted, this.#ports.kernel)
    this.#ports.shared.hold('static', this.#facts)
    this.#ports.claim(ownedStatics(this.#facts))
    this.#refusals.adopt(refused)
  }

  /** Of what the kernel refused; the rest follows from the configuration. */
  snapshot() {
    return this.#refusals.snapshot()
  }

  /** Something is on its way into the record or the kernel. */
  get busy(): boolean {
    return this.#waiting || this.#unanswered > 0
  }

  /** Resolves when the kernel has answered to all that was asked; what it refused is tried again later. */
  settled(): Promise<void> {
    return this.busy ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve()
  }

  /** The record names what was claimed. */
  recorded(): void {
    if (this.#waiting) this.#follow()
  }

  /** After the mirror has taken them in. */
  onKernel(changes: readonly KernelChange[]): void {
    if (this.#facts.length === 0 && this.#interfaces.size === 0) return
    // The routes of any interface that was down may have been ours, by their next hop.
    const back = changes.some(
      (it) =>
        (it.kind === 'link' && it.after?.up === true && it.before?.up !== true) ||
        (it.kind === 'flapped' && it.up),
    )
    const differs = changes.some(
      (it) =>
        (it.kind === 'link' && this.#interfaces.has(it.name)) ||
        (it.kind === 'address' && it.foreign),
    )
    if (differs) this.#follow()
    this.#vanished(changes)
    for (const change of changes) if (change.kind === 'address-altered') this.#altered(change)
    if (back) this.#addAll(this.#facts)
  }

  #identityOfGone(change: KernelChange): string | null {
    if (change.kind === 'entry-gone') return change.identity
    if (change.kind !== 'address' || change.present || change.foreign) return null
    const { held } = change
    const again = this.#ports.kernel.hasAgain(held)
    return again ? null : `${held.ifindex} ${identityOfHeld(held)}`
  }

  /** Does what `dueAt` named, as far as it is due. */
  tick(now: Us): void {
    this.#restore(now)
    const again = this.#refusals.take(now)
    this.#addAll(this.#facts.filter(({ key }) => again.has(key)))
  }

  /** When `tick` has something to do; null: never. */
  dueAt(now: Us): Us | null {
    const instants = [this.#restorer.due(now), this.#refusals.againAt].flatMap((at) => at ?? [])
    return instants.length === 0 ? null : us(Math.min(...instants))
  }

  /** Writes log lines that were held back, as far as their limits allow. */
  flushLog(now: Us): void {
    this.#log.flush('static', now)
  }

  get status(): readonly StatusStatic[] {
    return describeStatics(this.#wanted, this.#facts, this.#refusals, this.#ports.kernel)
  }

  /** What is not as it should be, one sentence each. */
  warnings(now: Us): readonly string[] {
    const lacking = this.status.flatMap(({ kind, text, why }) =>
      why === null ? [] : [`the static ${kind} ${text}: ${why}`],
    )
    const removed = this.#restorer.contestedAt(now).flatMap(({ key, inUs }) => {
      const it = this.#facts.find(({ identity }) => identity === key)
      if (it === undefined) return []
      const within = `${contested.losses} times in ${Math.ceil(inUs / 1_000_000)} s`
      return [
        `the static ${it.kind} ${it.text} was removed ${within} by another program, and put back each time`,
      ]
    })
    return [...lacking, ...removed]
  }

  #follow(): void {
    const { kernel, claim } = this.#ports
    const now = staticFacts(this.#wanted, kernel)
    const before = this.#facts
    // What goes stays in the record until it has gone.
    this.#waiting = !claim(ownedStatics([...before, ...now]))
    if (this.#waiting) return
    this.#facts = now
    this.#ports.shared.hold('static', now)
    this.#change(before, now)
    this.#settle()
  }

  #change(before: readonly StaticFact[], now: readonly StaticFact[]): void {
    const { kernel, shared } = this.#ports
    const { remove, add } = staticDifference(before, now)
    const others = shared.heldBeside('static')
    const lost = remove.flatMap(({ address }) => address ?? [])
    const hosts = takenAlong(lost, kernel)
    for (const it of remove) if (!others.has(it.identity)) this.#remove(it)
    for (const { again } of hosts) this.#ask(again, [...there, ...gone], () => undefined)
    const primaries = lost.filter((it) => kernel.find(it.ifindex, it)?.secondary === false)
    const taken = now.filter((it) => goesWith(it, primaries))
    for (const { identity } of taken) this.#removing.add(identity)
    const set = new Set([...add, ...taken])
    this.#addAll(now.filter((it) => set.has(it)))
    this.#refusals.keep(new Set(now.map(({ key }) => key)))
  }

  /** Another program removed them, or the kernel on account of something else. Put back in their order. */
  #vanished(changes: readonly KernelChange[]): void {
    const facts = new Map(this.#facts.map((it) => [it.identity, it]))
    const lost = changes.flatMap((change) => {
      const it = facts.get(this.#identityOfGone(change) ?? '')
      if (it === undefined || !it.track || this.#removing.has(it.identity)) return []
      return [{ ...it, replaced: change.kind === 'entry-gone' && change.replaced }]
    })
    if (lost.length === 0) return
    const now = this.#ports.engine.now()
    for (const { kind, text: written, identity, replaced } of lost) {
      this.#restorer.lost(identity, now)
      if (replaced) this.#replaced.add(identity)
      const how = `was ${replaced ? 'replaced' : 'removed'} by another program: put back`
      const text = `the static ${kind} ${written} ${how}`
      this.#log.write('static', { kind: 'log', level: 'warning', text }, now)
    }
    this.#restore(now)
  }

  #altered({ held, terms }: AddressAltered): void {
    const identity = `${held.ifindex} ${identityOfHeld(held)}`
    const it = this.#facts.find((fact) => fact.identity === identity)
    if (it == null || it.address === null || !it.track) return
    if (!isAltered(it.address, null, terms)) return
    this.#restorer.altered(identity)
    const now = this.#ports.engine.now()
    const text = `the static address ${it.text} was altered by another program (lifetimes, flags or protocol): set again`
    this.#log.write('static', { kind: 'log', level: 'warning', text }, now)
    this.#restore(now)
  }

  #restore(now: Us): void {
    const due = new Set(this.#restorer.take(now).flatMap(({ key, add }) => (add ? [key] : [])))
    const isDue = ({ identity }: StaticFact) => due.has(identity)
    // The kernel drops routes with an address, and does not always say so.
    const address = this.#facts.some((it) => it.kind === 'address' && isDue(it))
    const back = this.#facts.filter((it) => isDue(it) || (address && isRoute(it)))
    this.#addAll(back.map((it) => this.#back(it)))
  }

  /** One whose place another program's route took. */
  #back(it: StaticFact): StaticFact {
    return this.#replaced.delete(it.identity) ? { ...it, add: encodeRouteTakeBack(it.add) } : it
  }

  #addAll(facts: readonly StaticFact[]): void {
    for (const { kind, key, identity, text, add } of facts)
      this.#ask(add, there, (error) => {
        this.#removing.delete(identity)
        if (error === null) return this.#refusals.accepted(key)
        if (!this.#facts.some((it) => it.key === key)) return
        if (!this.#refusals.refused(key, error.message, this.#ports.engine.now())) return
        this.#ports.log.warn(`the kernel refuses the static ${kind} ${text}: ${error.message}`)
      })
  }

  #remove({ kind, text, identity, remove }: StaticFact): void {
    this.#removing.add(identity)
    this.#ask(remove, gone, (error) => {
      this.#removing.delete(identity)
      if (error === null) return
      this.#ports.log.error(`the static ${kind} ${text} is not removed: ${error.message}`)
    })
  }

  #ask(bytes: Uint8Array, tolerate: readonly string[], done: (error: OpError | null) => void) {
    this.#unanswered += 1
    this.#ports.engine.request(bytes, (answer) => {
      this.#unanswered -= 1
      done(answer instanceof OpError && !tolerate.includes(answer.code) ? answer : null)
      this.#settle()
    })
  }

  /** What has gone may be forgotten once it has. */
  #settle(): void {
    if (this.busy) return
    this.#ports.claim(ownedStatics(this.#facts))
    this.#ports.rescheduled()
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}

const isRoute = ({ kind }: StaticFact): boolean => kind === 'route'

/** An IPv4 address takes those of its network with it, and routes that lead over it. */
function goesWith({ kind, address }: StaticFact, lost: readonly AddressFacts[]): boolean {
  const four = lost.filter((it) => ipFamily(it.address) === 4)
  if (kind !== 'address') return kind === 'route' && four.length > 0
  return four.some(
    (it) =>
      address !== null && it.ifindex === address.ifindex && networkOf(it) === networkOf(address),
  )
}
