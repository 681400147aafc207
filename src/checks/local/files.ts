/**
 * Files can hang: a file server that is gone holds whoever asks for them, and nothing ends that call. They are looked at
 * in a thread of their own, one after the other. A look that lasts keeps its thread for itself: the others go to another
 * one, which stands by, and the path is not asked again until that look has returned. (Node's own asynchronous calls
 * would hang in the pool of threads that the whole process shares.)
 */
import { Worker } from 'node:worker_threads'
import type { Question, Seen } from './file-look.ts'
import type { FromFiles, ToFiles } from './files-thread.ts'

/** Looks that last at the same time; with more the file systems are not asked any more. */
const lastingMax = 16
/** A look takes microseconds; one that takes so long is not waited for by the others. */
const lastsMs = 20
/** A thread has to load its code first. */
const bootMs = 2_000

/** `answer`: null when nobody waits for it any more. */
type Waiting = { readonly id: number; readonly question: Question; answer: Answer | null }
type Answer = (seen: Seen) => void
/** `queue`: in the order in which the thread takes them. `watched`: whose changes this thread would tell. */
type Lane = {
  readonly thread: Worker
  readonly queue: Waiting[]
  readonly watched: Set<string>
  ready: boolean
}

export class Files {
  readonly #onChanged: (path: string) => void
  readonly #threadFile: URL
  #current: Lane | null = null
  #spare: Lane | null = null
  /** Threads in a look that lasts. */
  readonly #lasting = new Set<Lane>()
  readonly #paths = new Set<string>()
  #watchdog: NodeJS.Timeout | undefined
  #lastId = 0

  /** `onChanged`: a file that has been asked for changed, came or went. */
  constructor(
    onChanged: (path: string) => void,
    threadFile = new URL('./files-thread.js', import.meta.url),
  ) {
    this.#onChanged = onChanged
    this.#threadFile = threadFile
  }

  /** Returns what gives the question up. */
  ask(question: Question, answer: Answer): () => void {
    const why = this.#refuses(question.path)
    if (why !== null) {
      answer({ ok: false, detail: why, value: 0 })
      return () => undefined
    }
    const waiting: Waiting = { id: ++this.#lastId, question, answer }
    this.#current ??= this.#next()
    this.#give(this.#current, waiting)
    this.#paths.add(question.path)
    // Who asks for one file only waits for nobody.
    if (this.#paths.size > 1) this.#spare ??= this.#start()
    return () => {
      waiting.answer = null
    }
  }

  close(): void {
    clearTimeout(this.#watchdog)
    const lanes = [...this.#lasting, this.#current, this.#spare]
    this.#lasting.clear()
    this.#current = null
    this.#spare = null
    for (const lane of lanes) void lane?.thread.terminate()
  }

  #refuses(path: string): string | null {
    for (const { queue } of this.#lasting)
      if (queue[0]?.question.path === path) return 'an earlier look at it still hangs'
    return this.#lasting.size < lastingMax ? null : `${lastingMax} looks at files hang already`
  }

  #next(): Lane {
    const lane = this.#spare ?? this.#start()
    this.#spare = null
    return lane
  }

  #start(): Lane {
    const thread = new Worker(this.#threadFile, {
      name: 'vipd-files',
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    })
    thread.unref()
    const lane: Lane = { thread, queue: [], watched: new Set(), ready: false }
    thread.on('message', (message: FromFiles) => this.#heard(lane, message))
    thread.on('error', (error) => this.#lost(lane, String(error)))
    return lane
  }

  #give(lane: Lane, waiting: Waiting): void {
    const message: ToFiles = { id: waiting.id, question: waiting.question }
    lane.thread.postMessage(message)
    lane.queue.push(waiting)
    if (waiting.question.kind !== 'write') lane.watched.add(waiting.question.path)
    if (lane.queue.length === 1) this.#watch(lane)
  }

  #watch(lane: Lane): void {
    clearTimeout(this.#watchdog)
    const [head] = lane.queue
    if (head === undefined) return
    this.#watchdog = setTimeout(
      () => setImmediate(() => this.#late(lane, head)),
      lane.ready ? lastsMs : bootMs,
    )
    this.#watchdog.unref()
  }

  /** The answer may lie behind a late timer: then the head is another one by now. */
  #late(lane: Lane, head: Waiting): void {
    if (lane !== this.#current || lane.queue[0] !== head) return
    const others = lane.queue.splice(1).filter(({ answer }) => answer !== null)
    this.#lasting.add(lane)
    const next = this.#next()
    this.#current = next
    for (const waiting of others) this.#give(next, waiting)
    this.#spare ??= this.#start()
    // A thread that hangs tells of no change: what it watched is asked again, which watches it in the next thread.
    for (const path of lane.watched) if (path !== head.question.path) this.#onChanged(path)
  }

  #heard(lane: Lane, message: FromFiles): void {
    lane.ready = true
    if (message.kind === 'changed') return this.#onChanged(message.path)
    // A look that lasted may be followed by questions that others have answered meanwhile.
    if (lane.queue[0]?.id !== message.id) return
    const head = lane.queue.shift()
    const lasted = this.#lasting.delete(lane)
    if (lasted) void lane.thread.terminate()
    else this.#watch(lane)
    head?.answer?.(message.seen)
    // Its watch has gone with its thread, and a change in between was seen by none.
    if (lasted && head !== undefined) this.#onChanged(head.question.path)
  }

  /** A bug, or no memory: everybody who waits is told. */
  #lost(lane: Lane, detail: string): void {
    this.#lasting.delete(lane)
    if (lane === this.#current) this.#current = null
    if (lane === this.#spare) this.#spare = null
    for (const { answer } of lane.queue.splice(0)) answer?.({ ok: false, detail, value: 0 })
  }
}
