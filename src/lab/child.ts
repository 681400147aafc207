/**
 * A long-running program inside a host. Its output arrives as lines with the time at which they were read,
 * and a test waits for a line instead of sleeping. Signals go to the program itself, not to nsenter(1),
 * which stands between us and it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Journal, nowMs, until } from './wait.ts'

export type Line = {
  readonly atMs: number
  readonly stream: 'out' | 'err'
  readonly text: string
}
export type Exit = { readonly status: number | null; readonly signal: NodeJS.Signals | null }

export type ChildOptions = {
  /** The program of interest is the only child of what is started, as under nsenter(1). */
  readonly nested?: boolean
  readonly onLine?: (line: Line) => void
  /** Standard output is binary: given as it comes, and no lines are made of it. */
  readonly onData?: (piece: Uint8Array) => void
}

export class Child {
  readonly name: string
  readonly output = new Journal<Line>()
  readonly exited: Promise<Exit>
  #exit: Exit | null = null
  readonly #outer: ChildProcess

  readonly #nested: boolean

  constructor(name: string, argv: readonly string[], options: ChildOptions = {}) {
    this.name = name
    this.#nested = options.nested ?? false
    const [command = '', ...args] = argv
    this.#outer = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#outer.stdin?.on('error', () => undefined)
    const { stdout, stderr } = this.#outer
    if (options.onData !== undefined) stdout?.on('data', options.onData)
    else if (stdout !== null) this.#read(stdout, 'out', options.onLine)
    if (stderr !== null) this.#read(stderr, 'err', options.onLine)
    this.exited = new Promise((resolve) => {
      this.#outer.once('error', (error) => this.output.end(`${name}: ${error.message}`))
      this.#outer.once('close', (status, signal) => {
        this.#exit = { status, signal }
        const last = this.output.items.slice(-5).map((line) => `\n  ${line.text}`)
        this.output.end(`${name} ended (${signal ?? `status ${status}`})${last.join('')}`)
        resolve(this.#exit)
      })
    })
  }

  /** null while it runs. */
  get exit(): Exit | null {
    return this.#exit
  }

  /** How many lines there are so far: what to give `line` as `from` in order to see only later ones. */
  get mark(): number {
    return this.output.items.length
  }

  get text(): string {
    return this.output.items.map((line) => line.text).join('\n')
  }

  /** The first line from index `from` on that matches; throws when the program ends or the time passes first. */
  async line(pattern: RegExp, timeoutMs: number, from = 0): Promise<Line> {
    const what = `${this.name} writes ${pattern}`
    return this.output.next(what, timeoutMs, (line) => pattern.test(line.text), from)
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#outer.stdin?.write(text)
  }

  /** Sends a signal; a program that is gone already is no error. */
  async signal(name: NodeJS.Signals): Promise<void> {
    if (this.#exit !== null) return
    const pid = await this.pid()
    try {
      if (pid !== null) process.kill(pid, name)
      if (name === 'SIGCONT') this.wake()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }

  /** nsenter(1) stops when its child is stopped, and would then not see the child's end. */
  wake(): void {
    if (this.#nested) this.#outer.kill('SIGCONT')
  }

  /** SIGTERM, then waits for the end. */
  async stop(timeoutMs: number): Promise<Exit> {
    await this.signal('SIGTERM')
    return this.ended(timeoutMs)
  }

  async ended(timeoutMs: number): Promise<Exit> {
    return until(`${this.name} ends`, timeoutMs, () => this.#exit)
  }

  /** The program's process id as seen from here; null when it is gone. */
  async pid(): Promise<number | null> {
    const outer = this.#outer.pid
    if (outer === undefined) return null
    if (!this.#nested) return outer
    return until(`${this.name} is started by nsenter`, 60_000, () =>
      this.#exit === null ? onlyChildOf(outer) : -1,
    ).then((pid) => (pid === -1 ? null : pid))
  }

  #read(input: NodeJS.ReadableStream, stream: Line['stream'], tell?: (line: Line) => void): void {
    createInterface({ input }).on('line', (text) => {
      const line = { atMs: nowMs(), stream, text }
      tell?.(line)
      this.output.push(line)
    })
  }
}

/** The first child process of `pid`; null when it has none (yet). */
export function onlyChildOf(pid: number): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return children === '' ? null : Number(children.split(' ')[0])
  } catch {
    return null
  }
}
