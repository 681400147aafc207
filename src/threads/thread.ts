/**
 * One worker thread from its start to its loss. That it ended, threw, could not be started or gave no answer in time is
 * reported once, as a value; nothing is heard of it afterwards. A thread stuck in a system call cannot be ended: it
 * is left behind, and no caller waits for it longer than it says.
 */
import { Worker } from 'node:worker_threads'
import { startPatience } from './patience.ts'

export type ThreadBody = {
  readonly file: URL
  /** As `top -H` shows it: at most 15 octets. */
  readonly name: string
  readonly heapMegabytes: number
  /** Of its objects that are new; absent: as much as Node.js takes, which is 48. A part of `heapMegabytes` it is not. */
  readonly youngMegabytes?: number
  /**
   * It yields to the deciding thread where both want a processor: its nice value is so much greater than that of the
   * process, 1 to 19.
   */
  readonly yields?: number
  readonly data?: unknown
  /** The process does not end while it runs; absent: the owner's timers decide that. */
  readonly keepsProcess?: true
  /** Takes what it writes to its standard output and error; absent: they are the daemon's. */
  readonly onOutput?: (text: string) => void
}

export type Loss = {
  /** `hung`: it gave no answer in time, or was given up by its owner. */
  readonly kind: 'not-started' | 'crashed' | 'ended' | 'hung'
  /** A verb phrase for the log: 'crashed: …', 'gave no answer for 4000 ms'. */
  readonly why: string
  readonly error: Error | null
  /** It has said something: its code was loaded. */
  readonly ready: boolean
  readonly livedMs: number
  /** Resolves when the thread no longer exists; never, when its system call never returns. */
  readonly gone: Promise<void>
}

export type ThreadEvents<From> = {
  readonly onMessage: (message: From) => void
  /** Called once at most, never during the constructor. */
  readonly onLost: (loss: Loss) => void
}

export class Thread<To, From> {
  readonly gone: Promise<void>
  readonly #startedAt = performance.now()
  readonly #events: ThreadEvents<From>
  readonly #worker: Worker | null
  #ready = false
  #over = false
  #endPatience: () => void = () => undefined

  constructor(body: ThreadBody, events: ThreadEvents<From>) {
    this.#events = events
    const worker = startWorker(body)
    this.#worker = worker instanceof Error ? null : worker
    if (worker instanceof Error) {
      this.gone = Promise.resolve()
      setImmediate(() => this.#lose('not-started', `cannot be started: ${worker.message}`, worker))
      return
    }
    if (body.keepsProcess !== true) worker.unref()
    worker.on('message', (message: From) => {
      if (this.#over) return
      this.#ready = true
      events.onMessage(message)
    })
    worker.on('messageerror', (error) => this.#lose('crashed', `crashed: ${error.message}`, error))
    worker.on('error', (thrown: unknown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#lose('crashed', `crashed: ${error.message}`, error)
    })
    this.gone = new Promise((resolve) => {
      worker.on('exit', () => {
        resolve()
        this.#lose('ended', 'ended')
      })
    })
  }

  get ready(): boolean {
    return this.#ready
  }

  post(message: To): void {
    this.#worker?.postMessage(message)
  }

  /**
   * An answer is owed: unless `answered` is called within so many milliseconds, the thread has hung. `bootMs` holds
   * instead while it may still be loading its code.
   */
  expect(ms: number, bootMs = ms): void {
    this.#endPatience()
    const patienceMs = this.#ready ? ms : bootMs
    this.#endPatience = startPatience(patienceMs, () =>
      this.lose(`gave no answer for ${patienceMs} ms`),
    )
  }

  answered(): void {
    this.#endPatience()
  }

  /** Gives it up as hung. */
  lose(why: string): void {
    this.#lose('hung', why)
  }

  /** Ends it as far as it can be ended, and reports nothing. */
  discard(): void {
    this.#over = true
    this.#endPatience()
    this.#worker?.unref()
    void this.#worker?.terminate()
  }

  /** Lets it end by itself after a last message, for so long; then as `discard`. Resolves within about `ms`. */
  async stop(last: To | null, ms: number): Promise<void> {
    if (last === null || this.#over) this.discard()
    else this.post(last)
    this.#over = true
    this.#endPatience()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.gone, patience])
    clearTimeout(timer)
    this.discard()
  }

  #lose(kind: Loss['kind'], why: string, error: Error | null = null): void {
    if (this.#over) return
    this.discard()
    const livedMs = performance.now() - this.#startedAt
    this.#events.onLost({ kind, why, error, ready: this.#ready, livedMs, gone: this.gone })
  }
}

/**
 * Node must not track the thread's descriptors: those that a socket took over would be closed twice at its end, and
 * the second close would hit whatever the process has opened under that number meanwhile.
 */
function startWorker(body: ThreadBody): Worker | Error {
  const { file, name, heapMegabytes, youngMegabytes, yields = 0, data, onOutput } = body
  try {
    const captured = onOutput !== undefined
    const worker = new Worker(new URL('./body.js', import.meta.url), {
      name,
      argv: [name, file.href, String(yields)],
      workerData: data,
      trackUnmanagedFds: false,
      resourceLimits: {
        maxOldGenerationSizeMb: heapMegabytes,
        ...(youngMegabytes === undefined ? {} : { maxYoungGenerationSizeMb: youngMegabytes }),
      },
      stdout: captured,
      stderr: captured,
    })
    if (captured)
      for (const stream of [worker.stdout, worker.stderr])
        stream.on('data', (text: Buffer) => onOutput(text.toString()))
    return worker
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
