/**
 * The daemon's side of what is kept over restarts: gives each transition its number, passes it to the thread, and holds it
 * until the thread has it on the disk. To tell it a transition costs its teller a push.
 */
import type { Log } from '../../base/log.ts'
import type {
  ClaimsQuery,
  KeptPage,
  KeptQuery,
  KeptTransition,
  LatestPage,
  LatestQuery,
} from '../../report/kept.ts'
import type { KeptClaim } from '../../report/past-claim.ts'
import type { Transition } from '../../report/status.ts'
import { SupervisedThread, usualBackOff } from '../../threads/supervised.ts'
import { ClaimsKeeper } from './claims-keeper.ts'
import type { FromHistory, ToHistory } from './messages.ts'

const heartbeat = {
  everyMs: 2_000,
  hangMs: 30_000,
  ping: { kind: 'ping' },
  isAnswer: ({ kind }: FromHistory) => kind === 'pong',
} as const
const heapMegabytes = 64
const hangingMax = 2
const queueMax = 64
/** A disk that refuses is tried again so often. */
const retryMs = 5_000
/** For a page; longer than reading the files takes. */
const pageMs = 4_000
/** To write what is left at the end. */
const stopMs = 1_500
/** Of a message. */
const batchMax = 200
/** Held while the disk refuses; beyond it the oldest are lost. */
const heldMax = 10_000

type Held = { number: number | null; readonly transition: Transition }

export class HistorySurface {
  readonly #log: Log
  #thread: SupervisedThread<ToHistory, FromHistory> | null = null
  #directory: string | null = null
  /** Not yet on the disk. */
  #held: Held[] = []
  #lost = 0
  /** The next number; null: not known before the files have been read. */
  #next: number | null = null
  #until = 0
  /** Those up to this number have been passed to the thread. */
  #passed = 0
  #due = false
  #failure: string | null = null
  /** The disk has refused; nothing is passed before the files are open again. */
  #paused = false
  #retry: NodeJS.Timeout | null = null
  #lastQuestion = 0
  readonly #questions = new Map<number, (answer: KeptPage | LatestPage | Error) => void>()
  readonly #claims: ClaimsKeeper
  /** Wait until numbers can be given. */
  readonly #waiting = new Set<() => void>()

  constructor(log: Log) {
    this.#log = log
    this.#claims = new ClaimsKeeper(log, (claims) =>
      this.#thread?.post({ kind: 'keep-claims', claims }),
    )
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const lost = this.#lost === 0 ? '' : `; ${this.#lost} are lost`
    const failure =
      this.#failure === null
        ? []
        : [`transitions are not kept over a restart: ${this.#failure}${lost}`]
    return [...failure, ...this.#claims.warnings]
  }

  /** null: nothing is kept. */
  follow(directory: string | null): void {
    if (directory === this.#directory) return
    this.#directory = directory
    // Numbers belong to a directory.
    this.#forget()
    if (directory === null) {
      this.#held = []
      this.#claims.forget()
      void this.stop()
      return
    }
    if (this.#thread === null) {
      this.#thread = this.#supervised()
      this.#thread.start()
    } else this.#open(directory)
  }

  /** When numbers can be given, or it is known that they cannot, or the time has passed. */
  settled(timeoutMs: number): Promise<void> {
    if (this.#directory === null || this.#next !== null || this.#failure !== null)
      return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(), timeoutMs)
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      this.#waiting.add(done)
    })
  }

  /** Its number; null: it is not known yet, or nothing is kept. */
  keep(transition: Transition): number | null {
    if (this.#directory === null) return null
    const number = this.#number()
    this.#held.push({ number, transition })
    if (this.#held.length > heldMax) {
      this.#held.shift()
      this.#lost += 1
    }
    this.#schedule()
    return number
  }

  /** Of an entry what is known by now. */
  keepClaim(claim: KeptClaim): void {
    if (this.#directory !== null) this.#claims.keep(claim)
  }

  /** Rejects with the reason why nothing can be told. */
  read(query: KeptQuery): Promise<KeptPage> {
    return this.#ask((id) => ({ kind: 'read', id, query }))
  }

  /** As `read`. */
  latest(query: LatestQuery): Promise<KeptPage | LatestPage> {
    return this.#ask((id) => ({ kind: 'latest', id, query }))
  }

  /** As `read`; each line a KeptClaim. */
  claims(query: ClaimsQuery): Promise<KeptPage> {
    return this.#ask((id) => ({ kind: 'claims', id, query }))
  }

  #ask(question: (id: number) => ToHistory): Promise<KeptPage | LatestPage> {
    const thread = this.#thread
    if (thread === null || this.#directory === null)
      return Promise.resolve({ directory: null, lines: new Uint8Array(), next: null })
    const id = ++this.#lastQuestion
    return new Promise((resolve, reject) => {
      const answered = (answer: KeptPage | LatestPage | Error) => {
        clearTimeout(timer)
        this.#questions.delete(id)
        if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
      const late = new Error('the disk with the kept transitions does not answer')
      const timer = setTimeout(answered, pageMs, late)
      this.#questions.set(id, answered)
      // Those of just now are among the answer.
      this.#pass()
      thread.post(question(id))
    })
  }

  /** After the last transition. */
  async stop(): Promise<void> {
    const thread = this.#thread
    this.#claims.flush()
    this.#thread = null
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    if (thread === null) return
    while (this.#passable().length > 0) this.#passTo(thread)
    await thread.stop({ kind: 'stop', last: (this.#next ?? 1) - 1 }, stopMs)
  }

  #forget(): void {
    this.#next = null
    this.#until = 0
    this.#passed = 0
    this.#failure = null
    this.#paused = false
    for (const held of this.#held) held.number = null
  }

  #supervised(): SupervisedThread<ToHistory, FromHistory> {
    return new SupervisedThread<ToHistory, FromHistory>({
      body: () => ({
        file: new URL('./body.js', import.meta.url),
        name: 'vipd-history',
        heapMegabytes,
      }),
      onMessage: (message) => this.#take(message),
      onStarted: () => {
        if (this.#directory !== null) this.#open(this.#directory)
        this.#claims.anew()
      },
      onLost: ({ why }, { worthSaying }) => {
        if (worthSaying) this.#log.error(`History: the thread ${why}; another one takes its place`)
        this.#failure = `the thread ${why}`
        this.#settle()
        this.#paused = true
        this.#thread?.start()
      },
      heartbeat,
      backOff: usualBackOff,
      hangingMax,
      queueMax,
    })
  }

  #open(directory: string): void {
    this.#passed = 0
    this.#thread?.post({ kind: 'open', directory })
  }

  #take(message: FromHistory): void {
    switch (message.kind) {
      case 'numbers':
        this.#next ??= message.from
        this.#until = message.until
        for (const held of this.#held) held.number ??= this.#number()
        this.#settle()
        this.#paused = false
        if (this.#held.length === 0) this.#recovered()
        return this.#schedule()
      case 'kept':
        this.#held = this.#held.filter(({ number }) => number === null || number > message.upTo)
        this.#recovered()
        return this.#schedule()
      case 'failed':
        return this.#failed(message.why)
      case 'claims-kept':
        return this.#claims.kept()
      case 'claims-failed':
        return this.#claims.failed(message.why)
      case 'page':
        return this.#questions.get(message.id)?.(message.page)
      case 'no-page':
        return this.#questions.get(message.id)?.(new Error(message.why))
      case 'pong':
    }
  }

  #settle(): void {
    for (const done of this.#waiting) done()
  }

  #number(): number | null {
    if (this.#next === null || this.#next > this.#until) return null
    const number = this.#next
    this.#next += 1
    return number
  }

  #recovered(): void {
    if (this.#failure !== null)
      this.#log.info(`History: transitions are kept in ${this.#directory} again`)
    this.#failure = null
  }

  /** Said once for each reason, and in `status` as long as it holds. */
  #failed(why: string): void {
    if (this.#failure !== why)
      this.#log.warn(`History: transitions are not kept in ${this.#directory}: ${why}; tried again`)
    this.#failure = why
    this.#settle()
    this.#paused = true
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      if (this.#directory !== null) this.#open(this.#directory)
    }, retryMs)
  }

  #schedule(): void {
    if (this.#due || this.#thread === null || this.#passable().length === 0) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#pass()
      this.#schedule()
    })
  }

  /** With a number, and not passed yet; none while the disk refuses. */
  #passable(): readonly KeptTransition[] {
    if (this.#paused) return []
    const fresh: KeptTransition[] = []
    for (const { number, transition } of this.#held) {
      if (number === null || number <= this.#passed) continue
      fresh.push({ number, ...transition })
      if (fresh.length >= batchMax) break
    }
    return fresh
  }

  #pass(): void {
    if (this.#thread !== null) this.#passTo(this.#thread)
  }

  #passTo(thread: SupervisedThread<ToHistory, FromHistory>): void {
    const transitions = this.#passable()
    const last = transitions.at(-1)
    if (last === undefined) return
    this.#passed = last.number
    thread.post({ kind: 'keep', transitions })
  }
}
