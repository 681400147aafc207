/**
 * The notification FIFOs and the scripts that read them. A reload that names the same FIFO leaves it, what
 * lies in it and its script alone. A script that ends is started again, with growing delay.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../base/log.ts'
import { describeResult } from '../checks/verdict/describe.ts'
import type { Fifo } from '../config/notify.ts'
import type { UserCommand } from '../config/user-command.ts'
import { withWords } from './command.ts'
import { type FifoWriter, openFifo, openPassedFifo } from './fifo.ts'
import type { JobResult } from './messages.ts'
import type { Handle, NotifyWorker } from './worker-handle.ts'

type Entry = {
  readonly fifo: Fifo
  readonly writer: FifoWriter
  script: Handle | null
  restart: NodeJS.Timeout | null
  starts: number
  /** Lines lost in the present run of losses. */
  losing: number
  closed: boolean
}

const restartMs = { first: 1_000, most: 60_000 }

export class NotifyFifos {
  readonly #worker: NotifyWorker
  readonly #log: Log
  #entry: readonly Entry[] = []
  /** Paths of FIFOs of another process, until they are opened. */
  #passed: ReadonlySet<string> | null = null

  constructor(worker: NotifyWorker, log: Log) {
    this.#worker = worker
    this.#log = log
  }

  /** In the order of writing: the global FIFO, then the VRRP one. */
  configure(fifos: readonly Fifo[]): void {
    const before = this.#entry
    const kept = fifos.map((fifo) => before.find((entry) => sameFifo(entry.fifo, fifo)) ?? null)
    for (const entry of before) if (!kept.includes(entry)) this.#close(entry)
    this.#entry = fifos.flatMap((fifo, i) => kept[i] ?? this.#open(fifo) ?? [])
    this.#passed = null
  }

  /** Paths of those that were made here, and are removed at the end. */
  get made(): readonly string[] {
    return this.#entry.flatMap(({ writer }) => (writer.made ? [writer.path] : []))
  }

  /** The next that are configured are another process's, of which it made these: readers, and what lies there, stay. */
  adopt(made: readonly string[]): void {
    this.#passed = new Set(made)
  }

  write(line: string): void {
    for (const entry of this.#entry) this.#writeTo(entry, line)
  }

  close(): void {
    for (const entry of this.#entry) this.#close(entry)
    this.#entry = []
  }

  #writeTo(entry: Entry, line: string): void {
    const { path } = entry.fifo
    if (entry.writer.write(line)) {
      if (entry.losing > 0)
        this.#log.warn(`FIFO ${path}: is read again, lost ${entry.losing} lines`)
      entry.losing = 0
      return
    }
    if (entry.losing === 0)
      this.#log.warn(`FIFO ${path}: is full, no program reads it; lines are dropped`)
    entry.losing++
  }

  #open(fifo: Fifo): Entry | null {
    try {
      const passed = this.#passed
      const writer = passed === null ? openFifo(fifo) : openPassedFifo(fifo, passed.has(fifo.path))
      const idle = { script: null, restart: null, starts: 0, losing: 0, closed: false }
      const entry: Entry = { fifo, writer, ...idle }
      if (fifo.script !== null) this.#startScript(entry, fifo.script)
      return entry
    } catch (error) {
      this.#log.error(`FIFO ${fifo.path}: ${error instanceof Error ? error.message : error}`)
      return null
    }
  }

  #startScript(entry: Entry, script: UserCommand): void {
    const prepared = withWords(script.command, [entry.fifo.path])
    if (!prepared.ok) {
      this.#log.error(`FIFO script ${script.raw}: ${prepared.why}`)
      return
    }
    entry.starts++
    const { program } = prepared
    entry.script = this.#worker.submit(
      { kind: 'run', program, runAs: script.runAs, timeoutMs: null },
      (result) => this.#scriptEnded(entry, script, result),
    )
  }

  #scriptEnded(entry: Entry, script: UserCommand, result: JobResult): void {
    if (entry.closed) return
    // Lost with its worker: it may still read, and two readers would share the lines.
    entry.script?.signal('SIGTERM')
    entry.script = null
    const delay = Math.min(restartMs.most, restartMs.first * 2 ** (entry.starts - 1))
    const how = result.kind === 'run' ? ` ${describeRun(script.raw, result)}` : ''
    this.#log.warn(`FIFO script ${script.raw} ended${how}; starting it again in ${delay} ms`)
    entry.restart = setTimeout(() => this.#startScript(entry, script), delay)
  }

  #close(entry: Entry): void {
    entry.closed = true
    if (entry.restart !== null) clearTimeout(entry.restart)
    entry.script?.signal('SIGTERM')
    entry.writer.close()
  }
}

function describeRun(
  name: string,
  { outcome, output }: JobResult & { readonly kind: 'run' },
): string {
  return `(${describeResult({ name, outcome, output, durationMs: 0 })})`
}

function sameFifo(a: Fifo, b: Fifo): boolean {
  const identity = ({ path, owner, script }: Fifo) => [path, owner, script?.command, script?.runAs]
  return isDeepStrictEqual(identity(a), identity(b))
}
