/**
 * Files can hang: a file server that is gone holds the thread that asks for them, and nothing ends that call. They are looked at
 * in a thread of their own, one after the other. A look that lasts keeps its thread for itself: the others go to another
 * one, which stands by, and the path is not asked again until that look has returned. (Node's own asynchronous calls
 * would hang in the pool of threads that the whole process shares.)
 */
import { startPatience } from '../../threads/patience.ts'
import { Thread } from '../../threads/thread.ts'
import type { Question, Seen } from './file-look.ts'
import type { FromFiles, ToFiles } from './files-thread.ts'

/** Looks that last at the same time; with more the file systems are not asked any more. */
const lastingMax = 16
/** A look takes microseconds; one that takes so long is not waited for by the others. */
const lastsMs = 20
/** A thread has to load its code first. */
const bootMs = 2_000

/** `answer`: null after it was given up. */
type Waiting = { readonly id: number; readonly question: Question; answer: Answer | null }
type Answer = (seen: Seen) => void
/** `queue`: in the order in which the thread takes them. `watched`: whose changes this thread reports. */
type Looker = {
  readonly thread: Thread<ToFiles, FromFiles>
  readonly queue: Waiting[]
  readonly watched: Set<string>
}

export class Files {
  readonly #onChanged: (path: string) => void
  readonly #threadFile: URL
  #current: Looker | null = null
  #spare: Looker | null = null
  /** Threads in a look that lasts. */
  readonly #lasting = new Set<Looker>()
  readonly #paths = new Set<string>()
  #endPatience: () => void = () => undefined
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
    // The looks at one file wait for no other file.
    if (this.#paths.size > 1) this.#spare ??= this.#start()
    return () => {
      waiting.answer = null
    }
  }

  close(): void {
    this.#endPatience()
    const all = [...this.#lasting, this.#current, this.#spare]
    this.#lasting.clear()
    this.#current = null
    this.#spare = null
    for (const looker of all) looker?.thread.discard()
  }

  #refuses(path: string): string | null {
    for (const { queue } of this.#lasting)
      if (queue[0]?.question.path === path) return 'an earlier look at it still hangs'
    return this.#lasting.size < lastingMax ? null : `${lastingMax} looks at files hang already`
  }

  #next(): Looker {
    const next = this.#spare ?? this.#start()
    this.#spare = null
    return next
  }

  #start(): Looker {
    const looker: Looker = {
      thread: new Thread<ToFiles, FromFiles>(
        { file: this.#threadFile, name: 'vipd-files', heapMegabytes: 32 },
        {
          onMessage: (message) => this.#receive(looker, message),
          onLost: ({ why }) => this.#lost(looker, `its thread ${why}`),
        },
      ),
      queue: [],
      watched: new Set(),
    }
    return looker
  }

  #give(looker: Looker, waiting: Waiting): void {
    looker.thread.post({ id: waiting.id, question: waiting.question })
    looker.queue.push(waiting)
    if (waiting.question.kind !== 'write') looker.watched.add(waiting.question.path)
    if (looker.queue.length === 1) this.#watch(looker)
  }

  #watch(looker: Looker): void {
    this.#endPatience()
    const [head] = looker.queue
    if (head === undefined) return
    const late = () => this.#late(looker, head)
    this.#endPatience = startPatience(looker.thread.ready ? lastsMs : bootMs, late)
  }

  /** The look goes on, and keeps its thread; what waits behind it goes to another one. */
  #late(looker: Looker, head: Waiting): void {
    if (looker !== this.#current || looker.queue[0] !== head) return
    const others = looker.queue.splice(1).filter(({ answer }) => answer !== null)
    this.#lasting.add(looker)
    const next = this.#next()
    this.#current = next
    for (const waiting of others) this.#give(next, waiting)
    this.#spare ??= this.#start()
    // A thread that hangs reports no change: what it watched is asked again, which watches it in the next thread.
    for (const path of looker.watched) if (path !== head.question.path) this.#onChanged(path)
  }

  #receive(looker: Looker, message: FromFiles): void {
    if (message.kind === 'changed') return this.#onChanged(message.path)
    // A look that lasted may be followed by questions that others have answered meanwhile.
    if (looker.queue[0]?.id !== message.id) return
    const head = looker.queue.shift()
    const lasted = this.#lasting.delete(looker)
    if (lasted) looker.thread.discard()
    else this.#watch(looker)
    head?.answer?.(message.seen)
    // Its watch has gone with its thread, and no other thread could see a change in between.
    if (lasted && head !== undefined) this.#onChanged(head.question.path)
  }

  /** A bug, or no memory: every question that waits is answered. */
  #lost(looker: Looker, detail: string): void {
    this.#lasting.delete(looker)
    if (looker === this.#current) this.#current = null
    if (looker === this.#spare) this.#spare = null
    const waiting = looker.queue.splice(0)
    for (const { answer } of waiting) answer?.({ ok: false, detail, value: 0 })
  }
}
