/**
 * Reads the configuration without waiting for it: on a thread that is started for one reading and ends with it, so
 * that neither a file system that hangs nor a file of a hundred megabytes holds the caller, and no memory is kept.
 * A thread that is late is given up. One that hangs in a system call cannot be ended; it stays behind, and their
 * number is bounded.
 */
import { errorAt, wholeFile } from '../config/language/diagnostics.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { type Loss, Thread, type ThreadBody } from '../threads/thread.ts'
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
  readonly #comparer: Comparer
  /** The network namespace that the daemon has entered: what the file says of one is not acted on. */
  #namespace: string | null = null
  /** Threads that were ended and have not gone yet. */
  #hanging = 0

  constructor(options: LoaderOptions) {
    this.#path = options.path
    this.#language = options.language
    this.#threadFile = options.threadFile ?? new URL('./thread.js', import.meta.url)
    this.#loadMs = options.loadMs ?? loadMs
    this.#compareMs = options.compareMs ?? compareMs
    this.#heapMegabytes = options.heapMegabytes ?? heapMegabytes
    this.#comparer = new Comparer(this.#body(), this.#compareMs)
  }

  /**
   * Reads and parses. `knownInterfaces` count as existing although they are absent at the moment. `marker`: a file that is
   * there meanwhile. Never rejects: what
   * went wrong with the reading itself is a diagnostic of a configuration that cannot run (`load-timeout`,
   * `load-hangs`, `load-failed`).
   */
  async load(
    knownInterfaces: readonly string[] = [],
    marker: string | null = null,
  ): Promise<Loaded> {
    const request = {
      path: this.#path,
      language: this.#language,
      knownInterfaces,
      namespace: this.#namespace,
      marker,
    }
    try {
      return await this.#load(request)
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      const { code, message } = error
      const diagnostic = errorAt(wholeFile(this.#path), code, message, 'fatal')
      return { config: null, diagnostics: [{ ...diagnostic, identity: code }], seen: nothingSeen }
    }
  }

  entered(namespace: string): void {
    this.#namespace = namespace
  }

  /** Whether the files are still those that were read. Waits for `compareMs` at most. */
  unchanged(seen: Seen): Promise<Unchanged> {
    return this.#comparer.ask(seen)
  }

  /** Ends what can be ended. */
  close(): void {
    this.#comparer.close()
  }

  #load(request: LoadRequest): Promise<Loaded> {
    if (this.#hanging >= hangingMax)
      throw new NotLoaded('load-hangs', `${hangingMax} earlier readings of it still hang`)
    return new Promise((resolve, reject) => {
      const assembly = new Assembly()
      const thread: Thread<ToThread, FromThread> = new Thread(this.#body(), {
        onMessage: (message) => {
          const loaded = message.kind === 'compared' ? null : assembly.take(message)
          if (loaded === null) return thread.post({ kind: 'more' })
          thread.discard()
          this.#leaveBehind(thread)
          resolve(loaded)
        },
        onLost: (loss) => {
          this.#leaveBehind(thread)
          reject(this.#whyFailed(loss))
        },
      })
      // For the whole of it, parts included: never put off.
      thread.expect(this.#loadMs)
      thread.post({ kind: 'load', request })
    })
  }

  #body(): ThreadBody {
    return { file: this.#threadFile, name: 'vipd-config', heapMegabytes: this.#heapMegabytes }
  }

  #leaveBehind({ gone }: Thread<ToThread, FromThread>): void {
    this.#hanging += 1
    void gone.then(() => {
      this.#hanging -= 1
    })
  }

  #whyFailed({ kind, error }: Loss): NotLoaded {
    if (kind === 'hung') {
      const time = `it was not read within ${this.#loadMs / 1_000} s`
      return new NotLoaded(
        'load-timeout',
        `${time}: its file system does not answer, or it is too large`,
      )
    }
    if (error === null) return new NotLoaded('load-failed', 'the thread that read it has ended')
    const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const what = memory
      ? `it needs more than ${this.#heapMegabytes} MiB of memory`
      : `reading failed: ${error.message}`
    return new NotLoaded('load-failed', what)
  }
}
