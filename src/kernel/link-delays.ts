/**
 * `interface_up_down_delays`: a link that goes down, or comes up, counts as before until it has been so for a while. One
 * that changes back in time has not changed for any reader: a flap. A link counts at once when it is seen first, when it
 * is up for the first time, and when it is deleted.
 */

/** Spans in ms; 0: at once. */
export type LinkDelay = {
  readonly interface: string
  readonly downMs: number
  readonly upMs: number
}

/** A link whose state does not count yet, or, as a flap, never did. */
export type DelayNews = {
  readonly kind: 'delayed' | 'flapped'
  readonly ifindex: number
  readonly name: string
  /** What it is. */
  readonly up: boolean
  /** How long it must stay so; 0 of a flap. */
  readonly forMs: number
}

type Watched = {
  readonly name: string
  counts: boolean
  wasUp: boolean
  /** When what differs from `counts` will count; null: nothing does. */
  dueMs: number | null
}

export type PassedDelay = Pick<Watched, 'name' | 'counts' | 'wasUp'> & {
  readonly ifindex: number
  readonly dueInMs: number | null
}

const asOne = (ms: number): string => `${Number((ms / 1000).toFixed(3))} s`

export class LinkDelays {
  readonly #nowMs: () => number
  #delays: ReadonlyMap<string, LinkDelay> = new Map()
  readonly #watched = new Map<number, Watched>()
  #news: DelayNews[] = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  set(delays: readonly LinkDelay[]): void {
    this.#delays = new Map(delays.map((delay) => [delay.interface, delay]))
    for (const watched of this.#watched.values())
      if (watched.dueMs !== null) watched.dueMs = Math.min(watched.dueMs, this.#due(watched))
  }

  /** For another process: `dueInMs` from now. */
  snapshot(): readonly PassedDelay[] {
    const now = this.#nowMs()
    return [...this.#watched].map(([ifindex, { name, counts, wasUp, dueMs }]) => ({
      ...{ ifindex, name, counts, wasUp },
      dueInMs: dueMs === null ? null : Math.max(0, dueMs - now),
    }))
  }

  /** Of another process, before a link is seen here: what is waited for goes on. */
  adopt(delays: readonly PassedDelay[]): void {
    const now = this.#nowMs()
    for (const { ifindex, name, counts, wasUp, dueInMs } of delays)
      this.#watched.set(ifindex, {
        ...{ name, counts, wasUp },
        dueMs: dueInMs === null ? null : now + dueInMs,
      })
  }

  /** Whether a link counts as up that is `up` at the moment. */
  counts(ifindex: number, name: string, up: boolean): boolean {
    const watched = this.#watched.get(ifindex)
    if (watched?.name !== name) return this.#watch(ifindex, name, up)
    if (watched.counts === up) {
      if (watched.dueMs !== null) this.#tell('flapped', ifindex, name, up, 0)
      watched.dueMs = null
      return up
    }
    if (watched.dueMs === null) {
      const forMs = this.#spanOf(name, up)
      watched.dueMs = this.#nowMs() + (watched.wasUp ? forMs : 0)
      if (watched.dueMs > this.#nowMs()) this.#tell('delayed', ifindex, name, up, forMs)
    }
    if (watched.dueMs > this.#nowMs()) return watched.counts
    watched.counts = up
    watched.wasUp ||= up
    watched.dueMs = null
    return up
  }

  /** It counts as up, and is down. */
  isSuppressed(ifindex: number): boolean {
    const watched = this.#watched.get(ifindex)
    return watched?.counts === true && watched.dueMs !== null
  }

  forget(ifindex: number): void {
    this.#watched.delete(ifindex)
  }

  /** Of links that are not there any more nothing is kept. */
  keep(exists: (ifindex: number) => boolean): void {
    for (const ifindex of this.#watched.keys()) if (!exists(ifindex)) this.forget(ifindex)
  }

  /** Links whose state counts by now, to be asked for again. */
  elapsed(): readonly number[] {
    const now = this.#nowMs()
    return [...this.#watched].flatMap(([ifindex, { dueMs }]) =>
      dueMs !== null && dueMs <= now ? [ifindex] : [],
    )
  }

  /** How long until `elapsed` names a link; null: none waits. */
  get nextMs(): number | null {
    const due = [...this.#watched.values()].flatMap(({ dueMs }) => dueMs ?? [])
    return due.length === 0 ? null : Math.max(0, Math.min(...due) - this.#nowMs())
  }

  /** What was delayed, and what changed back in time, since this was asked last. */
  takeNews(): readonly DelayNews[] {
    const news = this.#news
    if (news.length > 0) this.#news = []
    return news
  }

  /** Links that count as what they are not, one sentence each. */
  get warnings(): readonly string[] {
    return [...this.#watched.values()].flatMap(({ name, counts, dueMs }) =>
      dueMs === null ? [] : [describeDelay({ name, up: !counts, forMs: dueMs - this.#nowMs() })],
    )
  }

  #watch(ifindex: number, name: string, up: boolean): boolean {
    this.#watched.set(ifindex, { name, counts: up, wasUp: up, dueMs: null })
    return up
  }

  #spanOf(name: string, up: boolean): number {
    const delay = this.#delays.get(name)
    return (up ? delay?.upMs : delay?.downMs) ?? 0
  }

  /** As if it had changed now. */
  #due({ name, counts }: Watched): number {
    return this.#nowMs() + this.#spanOf(name, !counts)
  }

  #tell(kind: DelayNews['kind'], ifindex: number, name: string, up: boolean, forMs: number): void {
    this.#news.push({ kind, ifindex, name, up, forMs })
  }
}

export const describeDelay = ({
  name,
  up,
  forMs,
}: Pick<DelayNews, 'name' | 'up' | 'forMs'>): string =>
  `${name} is ${up ? 'up' : 'down'}, which counts in ${asOne(Math.max(0, forMs))} (interface_up_down_delays)`
