/**
 * The BFD sessions of the configuration, in one place: opens them, steps them on what the engine raises, orders anew, and
 * says what each is to those that track it. Between two packets that differ the engine needs none of it.
 */
import { OpError } from '../../base/errors.ts'
import { type Ip, ipFamily, isLinkLocal } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { addUs, type Us, us, usToMilliseconds } from '../../base/time.ts'
import { detectionUs } from '../../bfd/orders.ts'
import type { BfdInstance } from '../../config/types.ts'
import type { Reading } from '../../election/priority.ts'
import type { Bfd, BfdEngineEvent, BfdSessionId, BfdSpec } from '../../engine/bfd-contract.ts'
import type { SlotId } from '../../engine/order.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type { StatusBfd } from '../../report/status.ts'
import { bfdPort } from '../../wire/bfd.ts'
import { diagnosticText, sameIntervals, sameSockets, statusOf } from './describe.ts'
import { type CarriedRun, SessionRun, type Stepped } from './session-run.ts'

/** A session without sockets tries again so often, and whenever links or addresses change. */
const retryEveryUs = us(10_000_000)
const ttlMost = 255
/** keepalived's hop limit over IPv6, where it should be 255 (RFC 5881 section 5). */
const keepalivedHopLimit = 64

export type BfdPorts = {
  readonly bfd: Bfd
  readonly kernel: Pick<KernelView, 'linkHolding'>
  readonly log: Log
  now(): Us
  wallMs(): number
  discriminator(): number
  /** What it is to those that track it: 'UP' or 'DOWN'. */
  changed(name: string, word: string): void
}

/** Of another process. */
export type Carried = CarriedRun & {
  readonly name: string
  /** null: it has sockets, with which this process goes on. */
  readonly failure: string | null
  readonly sinceMs: number
  readonly transitions: number
}

type Entry = {
  readonly run: SessionRun
  /** Why it has no sockets. */
  failure: string | null
  sinceMs: number
  transitions: number
  /** What it was in the process before; null: nothing. */
  readonly inherits: BfdSessionId | null
}

export class BfdSessions {
  readonly #ports: BfdPorts
  readonly #byName = new Map<string, Entry>()
  #takeovers: ReadonlyMap<string, readonly SlotId[]> = new Map()
  #lastId = 0
  #retryAt: Us | null = null

  constructor(ports: BfdPorts) {
    this.#ports = ports
  }

  /** When `tick` is wanted; null: never. */
  get retryAt(): Us | null {
    return this.#retryAt
  }

  /** What is unchanged is not touched; what has other intervals polls; what has another path begins anew. */
  set(cfgs: readonly BfdInstance[]): void {
    const next = new Map(cfgs.map((cfg) => [cfg.name, cfg]))
    for (const [name, { run }] of this.#byName) {
      const cfg = next.get(name)
      if (cfg === undefined || !sameSockets(run.cfg, cfg)) this.#close(name, run.farewell)
    }
    for (const cfg of cfgs) {
      const known = this.#byName.get(cfg.name)
      if (known === undefined) this.#add(cfg, null)
      else if (!sameIntervals(known.run.cfg, cfg)) known.run.reconfigure(cfg)
    }
    this.#setRetry()
  }

  /** Slots by session; those of other sessions take nothing over. */
  setTakeovers(slots: ReadonlyMap<string, readonly SlotId[]>): void {
    this.#takeovers = slots
    for (const [name, { run }] of this.#byName) run.setTakeover(slots.get(name) ?? [])
  }

  onEvents(events: readonly BfdEngineEvent[]): void {
    const byId = new Map([...this.#byName.values()].map((it) => [it.run.id, it]))
    for (const event of events) {
      const entry = byId.get(event.session)
      if (entry !== undefined) this.#onEvent(entry, event)
    }
  }

  kernelChanged(): void {
    for (const entry of this.#byName.values()) if (entry.failure !== null) this.#open(entry)
    this.#setRetry()
  }

  tick(now: Us): void {
    if (this.#retryAt === null || now < this.#retryAt) return
    this.kernelChanged()
  }

  reading(name: string): Reading {
    const run = this.#byName.get(name)?.run
    if (run === undefined || run.verdict === null) return { kind: 'unknown' }
    const detail = run.verdict ? 'up' : 'down'
    return { kind: 'verdict', good: run.verdict, detail }
  }

  /** After so long without a packet of ours the peer takes this host for dead; null: the session is not up. */
  peerDetectionUs(name: string): Us | null {
    return this.#byName.get(name)?.run.peerDetectionUs ?? null
  }

  /** Silently, as keepalived: what the other end loses it finds out by itself. */
  stop(): void {
    for (const name of [...this.#byName.keys()]) this.#close(name, null)
    this.#retryAt = null
  }

  snapshot(): readonly Carried[] {
    return [...this.#byName.entries()].map(([name, { run, failure, sinceMs, transitions }]) => ({
      ...{ name, failure, sinceMs, transitions },
      ...run.snapshot(),
    }))
  }

  /**
   * Goes on with the sessions of another process: the other end hears the same discriminators from the same port. A sentence
   * that says which one cannot go on, and why.
   */
  adopt(cfgs: readonly BfdInstance[], carried: readonly Carried[]): string | null {
    const before = new Map(carried.map((one) => [one.name, one]))
    for (const cfg of cfgs) this.#add(cfg, before.get(cfg.name) ?? null)
    this.#setRetry()
    for (const [name, { failure }] of this.#byName)
      if (failure !== null && before.get(name)?.failure === null) return `${name}: ${failure}`
    return null
  }

  status(usersOf: (name: string) => readonly string[]): readonly StatusBfd[] {
    const { bfd } = this.#ports
    const wallMs = this.#ports.wallMs()
    return [...this.#byName.entries()].map(([name, { run, failure, sinceMs, transitions }]) => ({
      ...statusOf(run, failure === null ? bfd.counters(run.id) : null),
      failure,
      sinceMs: wallMs - sinceMs,
      transitions,
      usedBy: usersOf(name),
    }))
  }

  warnings(): readonly string[] {
    return [...this.#byName.values()].flatMap((entry) => {
      const { cfg } = entry.run
      const quick = this.#tooQuick(cfg)
      const failed = entry.failure === null ? [] : [`${cfg.name}: ${entry.failure}`]
      return quick === null ? failed : [...failed, quick]
    })
  }

  #tooQuick(cfg: BfdInstance): string | null {
    const least = Math.min(cfg.minRxUs, cfg.minTxUs)
    if (this.#ports.bfd.realtime || least >= 50_000) return null
    return `${cfg.name}: an interval of ${least / 1000} ms without real-time scheduling: on a busy machine sessions are lost that are not`
  }

  #add(cfg: BfdInstance, carried: Carried | null): void {
    const discriminator = carried?.discriminator ?? this.#newDiscriminator()
    const id = carried?.id ?? this.#lastId + 1
    this.#lastId = Math.max(this.#lastId, id)
    const run = new SessionRun(cfg, id, this.#ports.bfd, discriminator)
    if (carried !== null) run.carry(carried)
    const { sinceMs, transitions } = carried ?? { sinceMs: this.#ports.wallMs(), transitions: 0 }
    const inherits = carried?.failure === null ? carried.id : null
    const entry = { run, failure: carried?.failure ?? '', sinceMs, transitions, inherits }
    this.#byName.set(cfg.name, entry)
    // It has been said before.
    const quick = carried === null ? this.#tooQuick(cfg) : null
    if (quick !== null) this.#ports.log.warn(quick)
    this.#open(entry)
  }

  #open(entry: Entry): void {
    const { bfd, log } = this.#ports
    const { run } = entry
    try {
      bfd.open(this.#specOf(entry))
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      const failure = error.message
      if (failure !== entry.failure) log.warn(`(${shortName(run)}) no session: ${failure}`)
      entry.failure = failure
      this.#fail(run)
      return
    }
    entry.failure = null
    run.begin()
    run.setTakeover(this.#takeovers.get(run.cfg.name) ?? [])
  }

  /** Without sockets it is down, and known to be. */
  #fail(run: SessionRun): void {
    const before = run.verdict
    run.close()
    if (before !== false) this.#ports.changed(run.cfg.name, 'DOWN')
  }

  #specOf({ run: { id, discriminator, cfg }, inherits }: Entry): BfdSpec {
    const { neighbor: peer, source: local, multihop } = cfg
    const link = local !== null && isLinkLocal(peer) ? this.#ports.kernel.linkHolding(local) : null
    return {
      ...{ session: id, discriminator, peer, local, multihop, inherits },
      ifindex: link?.ifindex ?? 0,
      port: multihop ? bfdPort.multihop : bfdPort.singleHop,
      ttl: cfg.ttl ?? ttlMost,
      minTtl: minTtlOf(cfg),
    }
  }

  #close(name: string, farewell: Uint8Array | null): void {
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    if (entry.failure === null) this.#ports.bfd.close(entry.run.id, farewell)
    this.#byName.delete(name)
  }

  #onEvent(entry: Entry, event: BfdEngineEvent): void {
    const { run } = entry
    const before = run.verdict
    const stepped = run.take(event)
    if (stepped === null) return
    if (event.kind === 'expired') this.#logExpiry(run, stepped, event)
    if (stepped.after.state !== stepped.before.state) {
      entry.sinceMs = this.#ports.wallMs()
      entry.transitions += 1
      this.#logState(run)
    }
    if (run.verdict !== before && run.verdict !== null)
      this.#ports.changed(run.cfg.name, run.verdict ? 'UP' : 'DOWN')
  }

  #logExpiry(
    run: SessionRun,
    { before }: Stepped,
    { at, deadlineUs }: BfdEngineEvent & { readonly kind: 'expired' },
  ): void {
    const detection = detectionUs(before)
    if (detection === null || before.state === 'Down') return
    const ms = usToMilliseconds(detection)
    this.#ports.log.info(
      `(${shortName(run)}) Expired after ${ms} ms (${at - deadlineUs} usec overdue)`,
    )
  }

  #logState(run: SessionRun): void {
    const { log } = this.#ports
    const { state, diagnostic, peer } = run.session
    const local = diagnosticText(diagnostic)
    const remote = diagnosticText(peer?.diagnostic ?? 0)
    const why = ` (Local diagnostic - ${local}, Remote diagnostic - ${remote})`
    const line = `(${shortName(run)}) Entering ${state} state${state === 'Down' ? why : ''}`
    if (state === 'Init') log.debug(line)
    else log.info(line)
  }

  #newDiscriminator(): number {
    const taken = new Set([...this.#byName.values()].map(({ run }) => run.discriminator))
    for (;;) {
      const drawn = this.#ports.discriminator()
      if (!taken.has(drawn)) return drawn
    }
  }

  #setRetry(): void {
    const waits = [...this.#byName.values()].some(({ failure }) => failure !== null)
    this.#retryAt = waits ? addUs(this.#ports.now(), retryEveryUs) : null
  }
}

const shortName = ({ cfg: { name } }: SessionRun): string => name.slice(name.indexOf('/') + 1)

/** Over several hops there is no rule (RFC 5883 section 5) unless `max_hops` makes one. */
function minTtlOf({ ttl, maxHops, multihop, neighbor }: BfdInstance): number {
  const hops = maxHops ?? (multihop ? -1 : 0)
  return hops < 0 ? 0 : Math.max(0, (ttl ?? leastTtl(neighbor)) - hops)
}

const leastTtl = (peer: Ip): number => (ipFamily(peer) === 6 ? keepalivedHopLimit : ttlMost)
