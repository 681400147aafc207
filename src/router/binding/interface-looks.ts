/**
 * What passes on the interfaces of our masters, looked at now and then: through a packet socket, for the time of some
 * adverts, soon after an instance begins to lead and then every minute. What a look finds about an instance is kept until
 * a later look finds otherwise.
 */
import { OpError } from '../../base/errors.ts'
import type { Us } from '../../base/time.ts'
import type { SlotId } from '../../engine/order.ts'

/** Packets that pass on an interface, as far as a filter lets them; every call throws OpError. */
export type PacketSockets = {
  open(ifindex: number, filter: Uint8Array): number
  read(fd: number): readonly Uint8Array[]
  close(fd: number): void
}

export type Leading = {
  readonly slot: SlotId
  readonly ifindex: number
  readonly advertIntervalUs: Us
  /** Another instant is another tenure, which is looked at anew. */
  readonly since: Us
}

/** One look at one interface. */
export type Look = {
  packet(bytes: Uint8Array): void
  /** It is over. */
  judge(): Promise<void> | void
}

export type LooksPorts<Leader extends Leading> = {
  readonly sockets: PacketSockets
  readonly filter: Uint8Array
  /** A look takes so many adverts of the slowest leader, within the bounds. */
  readonly adverts: number
  readonly spanMs: { readonly least: number; readonly most: number }
  /** Then a look is over: a flood must not keep this thread busy. null: each packet counts. */
  readonly packetsMax: number | null
  leaders(): readonly Leader[]
  /** Called before the first packet can be seen. */
  begin(leaders: readonly Leader[]): Look
}

/** Looked for leaders that are due. */
const everyMs = 5_000
const againMs = 60_000
/** Below what a socket's buffer holds at thousands of adverts a second. */
const readMs = 50

export class InterfaceLooks<Leader extends Leading> {
  readonly #ports: LooksPorts<Leader>
  readonly #looked = new Map<SlotId, { readonly since: Us; readonly atMs: number }>()
  readonly #found = new Map<SlotId, string>()
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #stopped = false

  constructor(ports: LooksPorts<Leader>) {
    this.#ports = ports
  }

  get stopped(): boolean {
    return this.#stopped
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(performance.now()), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** Keeps what was found about an instance; null: nothing. Says whether that begins or ends something. */
  find(slot: SlotId, text: string | null): 'new' | 'over' | null {
    const known = this.#found.has(slot)
    if (text === null) return this.#found.delete(slot) ? 'over' : null
    this.#found.set(slot, text)
    return known ? null : 'new'
  }

  /** What was found about those that lead. */
  get findings(): readonly string[] {
    const leading = new Set(this.#ports.leaders().map(({ slot }) => slot))
    return [...this.#found].flatMap(([slot, text]) => (leading.has(slot) ? [text] : []))
  }

  /** Looks at the interfaces of the leaders that are due, one after the other. `nowMs`: monotonic. */
  async look(nowMs: number): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const leaders = this.#ports.leaders()
    for (const slot of this.#looked.keys())
      if (!leaders.some((it) => it.slot === slot)) this.#looked.delete(slot)
    const due = leaders.filter((it) => this.#isDue(it, nowMs))
    for (const ifindex of new Set(due.map((it) => it.ifindex))) {
      // The look at the interface before has taken seconds: some have lost their sockets, or are gone.
      const now = this.#stopped ? [] : this.#ports.leaders()
      const here = now.filter((it) => it.ifindex === ifindex && this.#isDue(it, nowMs))
      for (const { slot, since } of here) this.#looked.set(slot, { since, atMs: nowMs })
      if (here.length > 0) await this.#lookAt(ifindex, here)
    }
    this.#looking = false
  }

  #isDue({ slot, since }: Leader, nowMs: number): boolean {
    const looked = this.#looked.get(slot)
    return looked === undefined || looked.since !== since || nowMs - looked.atMs >= againMs
  }

  async #lookAt(ifindex: number, leaders: readonly Leader[]): Promise<void> {
    const { sockets, filter } = this.#ports
    const look = this.#ports.begin(leaders)
    let fd: number
    try {
      fd = sockets.open(ifindex, filter)
    } catch (error) {
      // The interface is gone, or there are no descriptors: another look follows.
      if (!(error instanceof OpError)) throw error
      return
    }
    try {
      await this.#read(fd, look, this.#spanMs(leaders))
    } finally {
      sockets.close(fd)
    }
    if (!this.#stopped) await look.judge()
  }

  #spanMs(leaders: readonly Leader[]): number {
    const { adverts, spanMs } = this.#ports
    const slowestMs = Math.max(...leaders.map((it) => it.advertIntervalUs)) / 1_000
    return Math.min(Math.max(adverts * slowestMs, spanMs.least), spanMs.most)
  }

  async #read(fd: number, look: Look, spanMs: number): Promise<void> {
    const most = this.#ports.packetsMax ?? Number.POSITIVE_INFINITY
    const end = performance.now() + spanMs
    let packets = 0
    while (performance.now() < end && packets < most && !this.#stopped) {
      await pause(readMs)
      for (const packet of this.#ports.sockets.read(fd)) {
        packets += 1
        look.packet(packet)
      }
    }
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
