/**
 * Reads the configuration without waiting for it: on a thread that is started for one reading and ends with it, so
 * that neither a file system that hangs nor a file of a hundred megabytes holds the caller, and no memory is kept.
 * A thread that is late is given up. One that hangs in a system call cannot be ended; it stays behind, and their
 * number is bounded.
 */
import { Worker } from 'node:worker_threads'
import { errorAt, wholeFile } from '../config/language/diagnostics.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { compareMs, hangingMax, heapMegabytes, loadMs } from './bounds.ts'
import { Comparer, type Unchanged } from './comparer.ts'
import type { Loaded, LoadRequest } from './load.ts'
import type { Seen } from './machine.ts'
import { Assembly } from './parts.ts'
import type { FromThread, ToThread } from './thread.ts'

export type LoaderOptions = {
  readonly path: string
  readonly language: LanguageOptions
  /** For tests. */
  readonly threadFile?: URL
  readonly loadMs?: number
  readonly compareMs?: number
  readonly heapMegabytes?: number
}

const nothingSeen: Seen = { files: [], patterns: [] }

/** Why there is no configuration; `code` is the diagnostic's. */
class NotLoaded extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export class Loader {
  readonly #path: string
  readonly #language: LanguageOptions
  readonly #threadFile: URL
  readonly #loadMs: number
  readonly #compareMs: number
  readonly #heapMegabytes: number
  /** Threads that were ended and have not gone yet. */
  readonly #hanging = new Set<Worker>()
  #comparer: Comparer | null = null

  constructor(options: LoaderOptions) {
    this.#path = options.path
    this.#language = options.language
    this.#threadFile = options.threadFile ?? new URL('./thread.js', import.meta.url)
    this.#loadMs = options.loadMs ?? loadMs
    this.#compareMs = options.compareMs ?? compareMs
    this.#heapMegabytes = options.heapMegabytes ?? heapMegabytes
  }

  /**
   * Reads and parses. `knownInterfaces` count as existing although they are absent at the moment. Never rejects: what
   * went wrong with the reading itself is a diagnostic of a configuration that cannot run (`load-timeout`,
   * `load-hangs`, `load-failed`).
   */
  async load(knownInterfaces: readonly string[] = []): Promise<Loaded> {
    const request = { path: this.#path, language: this.#language, knownInterfaces }
    try {
      return await this.#load(request)
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      const { code, message } = error
      const diagnostic = errorAt(wholeFile(this.#path), code, message, 'fatal')
      return { config: null, diagnostics: [{ ...diagnostic, identity: code }], seen: nothingSeen }
    }
  }

  /** Whether the files are still those that were read. Waits for `compareMs` at most. */
  unchanged(seen: Seen): Promise<Unchanged> {
    if (this.#comparer === null || this.#comparer.over) {
      if (this.#hanging.size >= hangingMax) return Promise.resolve('unknown')
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

  #load(request: LoadRequest): Promise<Loaded> {
    if (this.#hanging.size >= hangingMax)
      throw new NotLoaded('load-hangs', `${hangingMax} earlier readings of it still hang`)
    const thread = this.#start()
    const late = `it was not read within ${this.#loadMs / 1_000} s: its file system does not answer, or it is too large`
    let deadline: NodeJS.Timeout | undefined
    const loaded = new Promise<Loaded>((resolve, reject) => {
      const fail = (code: string, message: string) => reject(new NotLoaded(code, message))
      deadline = setTimeout(() => fail('load-timeout', late), this.#loadMs)
      thread.on('error', (error) => fail('load-failed', this.#whyFailed(error)))
      thread.on('exit', () => fail('load-failed', 'the thread that read it has ended'))
      receive(thread, resolve)
    })
    thread.postMessage({ kind: 'load', request } satisfies ToThread)
    return loaded.finally(() => {
      clearTimeout(deadline)
      this.#end(thread)
    })
  }

  #start(): Worker {
    return new Worker(this.#threadFile, {
      name: 'vipd-config',
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMegabytes },
    })
  }

  #end(thread: Worker): void {
    thread.unref()
    this.#hanging.add(thread)
    void thread.terminate().then(() => this.#hanging.delete(thread))
  }

  #whyFailed(error: Error): string {
    const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    return memory
      ? `it needs more than ${this.#heapMegabytes} MiB of memory`
      : `reading failed: ${error.message}`
  }
}

/** Fetches the parts of what was loaded, and calls back with the whole. */
function receive(thread: Worker, done: (loaded: Loaded) => void): void {
  const assembly = new Assembly()
  let head: (FromThread & { kind: 'loaded' }) | null = null
  const more = () => thread.postMessage({ kind: 'more' } satisfies ToThread)
  thread.on('message', (message: FromThread) => {
    if (message.kind === 'loaded') {
      if (message.globals === null) return done({ ...message.loaded, config: null })
      head = message
      return more()
    }
    if (message.kind !== 'part' || head?.globals == null) return
    if (message.part === null)
      return done({ ...head.loaded, config: assembly.config(head.globals) })
    assembly.add(message.part)
    more()
  })
}
