/**
 * The daemon's side of the claims that are kept over restarts: holds of each entry what was told last until the thread has it
 * on the disk. A disk that refuses it is asked again; it holds up no transition.
 */
import type { Log } from '../../base/log.ts'
import { claimKey, type KeptClaim } from '../../report/past-claim.ts'

/** A disk that refuses is tried again so often. */
const retryMs = 5_000
/** Entries that are held while it refuses; beyond it the oldest are lost. */
const heldMax = 512

export class ClaimsKeeper {
  readonly #log: Log
  readonly #post: (claims: readonly KeptClaim[]) => void
  #held = new Map<string, KeptClaim>()
  /** With the thread, which has not said yet what became of them. */
  #passed: ReadonlyMap<string, KeptClaim> | null = null
  #retry: NodeJS.Timeout | null = null
  #failure: string | null = null

  /** `post`: to the thread, if there is one. */
  constructor(log: Log, post: (claims: readonly KeptClaim[]) => void) {
    this.#log = log
    this.#post = post
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return this.#failure === null
      ? []
      : [`claims of other machines are not kept over a restart: ${this.#failure}`]
  }

  keep(claim: KeptClaim): void {
    this.#hold(claim)
    if (this.#retry === null) this.#pass()
  }

  kept(): void {
    this.#passed = null
    if (this.#failure !== null) this.#log.info('History: claims of other machines are kept again')
    this.#failure = null
    this.#pass()
  }

  /** Said once for each reason, and in `status` as long as it holds. */
  failed(why: string): void {
    if (this.#failure !== why)
      this.#log.warn(`History: claims of other machines are not kept: ${why}; tried again`)
    this.#failure = why
    this.#takeBack()
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.#pass()
    }, retryMs)
  }

  /** There is another thread: it knows nothing of what the one before has not kept. */
  anew(): void {
    this.#takeBack()
    this.#pass()
  }

  /** Before the thread ends; it takes its messages in order. */
  flush(): void {
    this.#passed = null
    this.#pass()
    this.#stop()
  }

  /** Nothing is kept any more. */
  forget(): void {
    this.#held.clear()
    this.#passed = null
    this.#failure = null
    this.#stop()
  }

  #stop(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
  }

  #pass(): void {
    if (this.#passed !== null || this.#held.size === 0) return
    this.#passed = this.#held
    this.#held = new Map()
    this.#post([...this.#passed.values()])
  }

  /** What is told since counts for more. */
  #takeBack(): void {
    const before = this.#passed ?? new Map<string, KeptClaim>()
    this.#passed = null
    this.#held = new Map([...before, ...this.#held])
  }

  #hold(claim: KeptClaim): void {
    this.#held.set(claimKey(claim), claim)
    const [oldest] = this.#held.keys()
    if (this.#held.size > heldMax && oldest !== undefined) this.#held.delete(oldest)
  }
}
