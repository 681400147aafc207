/**
 * Another program of this host that sends adverts of one of our VRIDs on our interface: a keepalived, a second vipd. The
 * two never hear each other, because the kernel returns no multicast to the host that sent it, so both are master and
 * neither says a word. While an instance leads, what goes out of its interface is looked at for some adverts' time, at
 * once and then every minute: more adverts than this daemon has sent are another program's.
 */
import { OpError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import type { SlotId } from '../../engine/contract.ts'
import { outgoingFilter } from '../../wire/bpf.ts'
import { outgoingVrid } from '../../wire/outgoing.ts'

/** A look at what any program sends on an interface; every call throws OpError. */
export type Outgoing = {
  open(ifindex: number, filter: Uint8Array): number
  read(fd: number): readonly Uint8Array[]
  close(fd: number): void
}

/** A master on a multicast group. */
export type Leader = {
  readonly slot: SlotId
  readonly name: string
  readonly family: 4 | 6
  readonly vrid: number
  readonly interface: string
  readonly ifindex: number
  readonly advertIntervalUs: Us
  readonly since: Us
}

export type SameHostPorts = {
  readonly outgoing: Outgoing
  readonly log: Log
  leaders(): readonly Leader[]
  /** Adverts of the slot that the engine has sent so far. */
  sent(slot: SlotId): number
  /** Everything that was sent has been counted. */
  counted(): Promise<void>
}

/** Looked for leaders that are due; a look takes so many adverts of the slowest, within these bounds. */
const everyMs = 5_000
const againMs = 60_000
const lookAdverts = 5
const lookMs = { least: 3_000, most: 20_000 }
/** Below what a socket's buffer holds at thousands of adverts a second. */
const readMs = 50
/** An advert that a busy thread has sent and not counted yet is no other program's. */
const surplusMin = 2

type Look = {
  readonly ifindex: number
  readonly fd: number
  readonly leaders: readonly (Leader & { readonly sentBefore: number })[]
  /** By family and VRID. */
  readonly seen: Map<string, number>
}

export class SameHost {
  readonly #ports: SameHostPorts
  /** When a tenure was looked at, by slot. */
  readonly #looked = new Map<SlotId, { readonly since: Us; readonly atMs: number }>()
  readonly #found = new Map<SlotId, string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #stopped = false

  constructor(ports: SameHostPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(performance.now()), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const leading = new Set(this.#ports.leaders().map((it) => it.slot))
    return [...this.#found].flatMap(([slot, text]) => (leading.has(slot) ? [text] : []))
  }

  /** Looks at the interfaces of the leaders that are due, one after the other. `nowMs`: monotonic. */
  async look(nowMs: number): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const due = this.#ports.leaders().filter((it) => this.#isDue(it, nowMs))
    for (const ifindex of new Set(due.map((it) => it.ifindex))) {
      const leaders = due.filter((it) => it.ifindex === ifindex)
      for (const { slot, since } of leaders) this.#looked.set(slot, { since, atMs: nowMs })
      if (!this.#stopped) await this.#lookAt(ifindex, leaders)
    }
    this.#looking = false
  }

  #isDue({ slot, since }: Leader, nowMs: number): boolean {
    const looked = this.#looked.get(slot)
    return looked === undefined || looked.since !== since || nowMs - looked.atMs >= againMs
  }

  async #lookAt(ifindex: number, leaders: readonly Leader[]): Promise<void> {
    const look = this.#open(ifindex, leaders)
    if (look === null) return
    const slowest = Math.max(...leaders.map((it) => it.advertIntervalUs)) / 1_000
    const spanMs = Math.min(Math.max(lookAdverts * slowest, lookMs.least), lookMs.most)
    const end = performance.now() + spanMs
    try {
      while (performance.now() < end && !this.#stopped) {
        await pause(readMs)
        this.#read(look)
      }
    } finally {
      this.#ports.outgoing.close(look.fd)
    }
    if (this.#stopped) return
    await this.#ports.counted()
    if (!this.#stopped) this.#judge(look)
  }

  /** What was sent is counted before the first packet can be seen, so that ours are never too few. */
  #open(ifindex: number, leaders: readonly Leader[]): Look | null {
    const counted = leaders.map((it) => ({ ...it, sentBefore: this.#ports.sent(it.slot) }))
    try {
      const fd = this.#ports.outgoing.open(ifindex, outgoingFilter())
      return { ifindex, fd, leaders: counted, seen: new Map() }
    } catch (error) {
      // The interface is gone, or there are no descriptors: the next look is soon.
      if (!(error instanceof OpError)) throw error
      return null
    }
  }

  #read({ fd, seen }: Look): void {
    for (const packet of this.#ports.outgoing.read(fd)) {
      const key = outgoingVrid(packet)
      if (key !== null) seen.set(key, (seen.get(key) ?? 0) + 1)
    }
  }

  #judge({ leaders, seen }: Look): void {
    const still = new Map(this.#ports.leaders().map((it) => [it.slot, it.since]))
    for (const leader of leaders) {
      // Another tenure has sent other adverts.
      if (still.get(leader.slot) !== leader.since) continue
      const ours = this.#ports.sent(leader.slot) - leader.sentBefore
      const theirs = (seen.get(`${leader.family} ${leader.vrid}`) ?? 0) - ours
      this.#report(leader, theirs >= surplusMin)
    }
  }

  #report({ slot, name, vrid, interface: on }: Leader, found: boolean): void {
    const known = this.#found.has(slot)
    if (found === known) return
    const other = `another program on this host sends adverts of VRID ${vrid} on ${on}`
    if (!found) {
      this.#found.delete(slot)
      this.#ports.log.info(`(${name}) no other program on this host uses VRID ${vrid} on ${on}`)
      return
    }
    const text = `${other}: two masters that do not hear each other`
    this.#found.set(slot, `${name} is MASTER, but ${text}`)
    this.#ports.log.error(`(${name}) ${text}`, { instance: name })
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
