/**
 * The kernel's news of processes that begin, end or change their name, so that a check need not wait for its turn.
 * They are a hint and no more: where there are none (a network namespace of its own, no CAP_NET_ADMIN), or too many,
 * the checks find out at their turns.
 */
import { bindings, type Watched } from '../../addon/bindings.ts'

/** More in a second than this is a machine busy with forking: looking at each would cost more than it tells. */
const newsMax = 5_000
const windowMs = 1_000
const pauseMs = 5_000

/** Called with each process; `ended`: it is gone, or about to be. */
export type OnNews = (pid: number, ended: boolean) => void

export class ProcessNews {
  readonly #onNews: OnNews
  #socket: Watched | null = null
  #resume: NodeJS.Timeout | null = null
  #windowAt = 0
  #count = 0

  constructor(onNews: OnNews) {
    this.#onNews = onNews
    this.#open()
  }

  close(): void {
    this.#socket?.close()
    this.#socket = null
    if (this.#resume !== null) clearTimeout(this.#resume)
  }

  #open(): void {
    this.#resume = null
    try {
      this.#socket = bindings().openProcessNews((news) => this.#take(news))
    } catch {
      // Not here: the turns are enough.
    }
  }

  /** What was lost is found at the next turn. */
  #take(news: Int32Array | null): void {
    if (news === null || this.#tooMany(news.length)) return
    for (const pid of news) this.#onNews(Math.abs(pid), pid < 0)
  }

  #tooMany(more: number): boolean {
    const now = performance.now()
    if (now - this.#windowAt > windowMs) {
      this.#windowAt = now
      this.#count = 0
    }
    this.#count += more
    if (this.#count <= newsMax) return false
    this.close()
    this.#resume = setTimeout(() => this.#open(), pauseMs).unref()
    return true
  }
}
