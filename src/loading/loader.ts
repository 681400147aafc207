/**
 * Reads the configuration without waiting for it: on a thread that is started for one reading and ends with it, so
 * that neither a file system that hangs nor a file of a hundred megabytes holds the caller, and no memory is kept.
 * A thread that is late is given up. One that hangs in a system call cannot be ended; it stays behind, and their
 * number is bounded.
 */
import { Worker } from 'node:worker_threads'
import { errorAt, wholeFile } from '../config/diagnostics.ts'
import type { LanguageOptions } from '../config/tree-types.ts'
import { compareMs, hangingMax, heapMegabytes, idleMs, loadMs } from './bounds.ts'
import type { Loaded } from './load.ts'
import type { Seen } from './machine.ts'
import type { FromThread, ToThread } from './thread.ts'

export type LoaderOptions = {
  readonly path: string
  readonly language: LanguageOptions
  /** For tests. */
  readonly threadFile?: URL
  readonly loadMs?: number
  readonly compareMs?: number
}

/** `unknown`: the file system did not answer in time. */
export type Unchanged = boolean | 'unknown'

const nothingSeen: Seen = { files: [], patterns: [] }

export class Loader {
  readonly #path: string
  readonly #language: LanguageOptions
  readonly #threadFile: URL
  readonly #loadMs: number
  readonly #compareMs: number
  /** Threads that were ended and have not gone yet. */
  readonly #hanging = new Set<Worker>()
  #comparer: Comparer | null = null

  constructor(options: LoaderOptions) {
    this.#path = options.path
    this.#language = options.language
    this.#threadFile = options.threadFile ?? new URL('./thread.js', import.meta.url)
    this.#loadMs = options.loadMs ?? loadMs
    this.#compareMs = options.compareMs ?? compareMs
  }

  /**
   * Reads and parses. `knownInterfaces` count as existing although they are absent at the moment. Never rejects: what
   * went wrong with the reading itself is a diagnostic of a configuration that cannot run.
   */
  load(knownInterfaces: readonly string[] = []): Promise<Loaded> {
    if (this.#hanging.size >= hangingMax)
      return Promise.resolve(
        this.#failed('load-hangs', `${hangingMax} earlier readings of it still hang`),
      )
    const request = { path: this.#path, language: this.#language, knownInterfaces }
    const thread = this.#start()
    return new Promise((resolve) => {
      const end = (loaded: Loaded) => {
        clearTimeout(deadline)
        this.#end(thread)
        resolve(loaded)
      }
      const late = `it was not read within ${this.#loadMs / 1_000} s: its file system does not answer, or it is too large`
      const deadline = setTimeout(() => end(this.#failed('load-timeout', late)), this.#loadMs)
      thread.on('message', (message: FromThread) => {
        if (message.kind === 'loaded') end(message.loaded)
      })
      thread.on('error', (error) => end(this.#failed('load-failed', whyFailed(error))))
      thread.postMessage({ id: 1, kind: 'load', request } satisfies ToThread)
    })
  }

  /** Whether the files are still those that were read. Waits for `compareMs` at most. */
  unchanged(seen: Seen): Promise<Unchanged> {
    if (this.#comparer === null || this.#comparer.over) {
      const thread = this.#start()
      thread.unref()
      this.#comparer = new Comparer(thread, this.#compareMs, () => this.#end(thread))
    }
    return this.#comparer.ask(seen)
  }

  /** Ends what can be ended. */
  close(): void {
    this.#comparer?.close()
    this.#comparer = null
  }

  #start(): Worker {
    return new Worker(this.#threadFile, {
      name: 'vipd-config',
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    })
  }

  #end(thread: Worker): void {
    thread.unref()
    this.#hanging.add(thread)
    void thread.terminate().then(() => this.#hanging.delete(thread))
  }

  #failed(code: string, why: string): Loaded {
    const diagnostic = errorAt(wholeFile(this.#path), code, why, 'fatal')
    return { config: null, diagnostics: [{ ...diagnostic, identity: code }], seen: nothingSeen }
  }
}

function whyFailed(error: Error): string {
  const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return memory
    ? `it needs more than ${heapMegabytes} MiB of memory`
    : `reading failed: ${error.message}`
}

/** The thread that compares. It is kept for a while, because `status` is asked for again and again. */
class Comparer {
  over = false
  readonly #thread: Worker
  readonly #compareMs: number
  readonly #end: () => void
  readonly #waiting = new Map<
    number,
    { readonly answer: (unchanged: Unchanged) => void; readonly fromMs: number }
  >()
  #lastId = 0
  #idle: NodeJS.Timeout | undefined

  constructor(thread: Worker, waitMs: number, end: () => void) {
    this.#thread = thread
    this.#compareMs = waitMs
    this.#end = end
    thread.on('message', (message: FromThread) => {
      if (message.kind !== 'compared') return
      this.#waiting.get(message.id)?.answer(message.unchanged)
      this.#waiting.delete(message.id)
      if (this.#waiting.size === 0) this.#rest()
    })
    thread.on('error', () => this.close())
  }

  ask(seen: Seen): Promise<Unchanged> {
    const [oldest] = this.#waiting.values()
    // It hangs: nothing is piled up behind it.
    if (oldest !== undefined && performance.now() - oldest.fromMs > this.#compareMs)
      return Promise.resolve('unknown')
    clearTimeout(this.#idle)
    const id = ++this.#lastId
    this.#thread.postMessage({ id, kind: 'compare', seen } satisfies ToThread)
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve('unknown'), this.#compareMs)
      const answer = (unchanged: Unchanged) => {
        clearTimeout(deadline)
        resolve(unchanged)
      }
      this.#waiting.set(id, { answer, fromMs: performance.now() })
    })
  }

  close(): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.#idle)
    for (const { answer } of this.#waiting.values()) answer('unknown')
    this.#waiting.clear()
    this.#end()
  }

  #rest(): void {
    this.#idle = setTimeout(() => this.close(), idleMs)
    this.#idle.unref()
  }
}
