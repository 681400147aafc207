/**
 * A check that is an ES module, in a worker thread of its own that stays between runs. A thread that does not come back
 * in time, crashes or eats its memory is ended, and the next run begins with a new one.
 */
import { SupervisedThread } from '../../threads/supervised.ts'
import type { FromModule, ModuleData, ToModule } from './module-thread.ts'

/** How long a module may take to notice that its time is up. */
const graceMs = 100
const heapMegabytes = 64
const outputBytesMax = 1_024
/** Threads that hang in a system call; with so many the module is not run. */
const hangingMax = 4

type Answer = { readonly ok: boolean; readonly message: string }
type Run = { readonly id: number; readonly answer: (answer: Answer, output: string) => void }

export class Module {
  readonly #thread: SupervisedThread<ToModule, FromModule>
  #output = ''
  #run: Run | null = null
  /** A run was given up, and its thread has not answered since. */
  #late = false
  #lastId = 0

  constructor(path: string, threadFile = new URL('./module-thread.js', import.meta.url)) {
    const data: ModuleData = { path }
    this.#thread = new SupervisedThread<ToModule, FromModule>({
      body: () => ({
        file: threadFile,
        name: 'vipd-module',
        heapMegabytes,
        data,
        onOutput: (text) => {
          this.#output = (this.#output + text).slice(-outputBytesMax)
        },
      }),
      onMessage: (message) => this.#receive(message),
      onLost: ({ error, why }) => {
        this.#late = false
        const message = error === null ? `its thread ${why}` : `it crashed: ${String(error)}`
        this.#settle({ ok: false, message })
      },
      // Its turns are far enough apart.
      backOff: null,
      hangingMax,
      queueMax: 0,
    })
  }

  /** Returns what gives the run up. */
  ask(answer: Run['answer']): () => void {
    if (this.#late) this.#end()
    const id = ++this.#lastId
    this.#run = { id, answer }
    this.#output = ''
    if (!this.#thread.post({ kind: 'ask', id }))
      this.#settle({ ok: false, message: `${hangingMax} earlier runs of it hang` })
    return () => this.#giveUp(id)
  }

  close(): void {
    this.#run = null
    this.#end()
  }

  #receive({ id, ok, message }: FromModule): void {
    this.#thread.answered()
    this.#late = false
    if (this.#run?.id === id) this.#settle({ ok, message })
  }

  #giveUp(id: number): void {
    if (this.#run?.id !== id) return
    this.#run = null
    this.#late = true
    this.#thread.post({ kind: 'abort', id })
    this.#thread.expect(graceMs)
  }

  #settle(answer: Answer): void {
    const run = this.#run
    this.#run = null
    run?.answer(answer, this.#output.trimEnd())
  }

  #end(): void {
    this.#late = false
    this.#thread.discard()
  }
}
