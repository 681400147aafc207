/** A child process in a network namespace of its own whose functions the test calls over IPC. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readSync, writeSync } from 'node:fs'
import { us } from '../../src/base/time.ts'

// biome-ignore lint/suspicious/noExplicitAny: a method takes what it takes
type Methods = Readonly<Record<string, (...args: any) => unknown>>
type Call = { readonly id: number; readonly method: string; readonly args: readonly unknown[] }
type Reply = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** An engine without real-time scheduling and lease. */
export const quiet = { realtimePriority: 0, rttimeUs: us(0), lockMemory: false, livenessUs: us(0) }

/** Runs ip(8) and returns what it prints; throws with its complaint. */
export function ip(...args: readonly string[]): string {
  const done = spawnSync('ip', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

export class Remote<M extends Methods> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(v: unknown): void; reject(e: Error): void }>()
  #id = 0

  /** Starts that file with the argument 'remote'; it is to call `serveRemote`. */
  constructor(file: string) {
    const node = [process.execPath, '--enable-source-maps', file, 'remote']
    this.#child = spawn('unshare', ['-n', ...node], {
      stdio: ['pipe', 'pipe', 2, 'ipc'],
      serialization: 'advanced',
    })
    this.#child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (reply.error === undefined) waiting?.resolve(reply.value)
      else waiting?.reject(new Error(reply.error))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  call<N extends keyof M & string>(
    method: N,
    ...args: Parameters<M[N]>
  ): Promise<ReturnType<M[N]>> {
    return this.#ask(method, args) as Promise<ReturnType<M[N]>>
  }

  /** Its main thread stands still, from before `body` starts until it has ended. */
  async whileStanding(body: () => Promise<void>): Promise<void> {
    const { stdin, stdout } = this.#child
    if (stdin === null || stdout === null) throw new Error('the child has no pipes')
    const stands = once(stdout, 'data')
    const ended = this.#ask(standStill, [])
    await stands
    try {
      await body()
    } finally {
      stdin.write('.')
      await ended
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await gone
  }

  #ask(method: string, args: readonly unknown[]): Promise<unknown> {
    this.#id += 1
    const id = this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, method, args } satisfies Call)
    })
  }
}

const standStill = 'stand still'

/** In the child: answers until the test leaves, then ends. Otherwise nothing: the file is imported by the test. */
export function serveRemote(begin: () => { readonly methods: Methods; end(): void }): void {
  if (process.argv[2] !== 'remote') return
  const { methods, end } = begin()
  const carryOut = ({ method, args }: Call): unknown => {
    if (method !== standStill) return methods[method]?.(...args)
    writeSync(1, '.')
    return readSync(0, Buffer.alloc(1))
  }
  process.on('message', (call: Call) => {
    const answer = (): Reply => {
      try {
        return { id: call.id, value: carryOut(call) }
      } catch (error) {
        return { id: call.id, error: String(error) }
      }
    }
    process.send?.(answer())
  })
  process.on('disconnect', end)
}
