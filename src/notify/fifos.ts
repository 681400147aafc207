/**
 * The notification FIFOs and the scripts that read them. A reload that names the same FIFO leaves it, what
 * lies in it and its script alone. A script that ends is started again, with growing delay.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../base/log.ts'
import { describeResult } from '../checks/verdict/describe.ts'
import type { Fifo, UserCommand } from '../config/types.ts'
import { withWords } from './command.ts'
import { type FifoWriter, openFifo } from './fifo.ts'
import type { JobResult } from './messages.ts'
import type { Handle, NotifyWorker } from './worker-handle.ts'

type Live = {
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
  #live: readonly Live[] = []

  constructor(worker: NotifyWorker, log: Log) {
    this.#worker = worker
    this.#log = log
  }

  /** In the order of writing: the global FIFO, then the VRRP one. */
  configure(fifos: readonly Fifo[]): void {
    const before = this.#live
    const kept = fifos.map((fifo) => before.find((live) => sameFifo(live.fifo, fifo)) ?? null)
    for (const live of before) if (!kept.includes(live)) this.#close(live)
    this.#live = fifos.flatMap((fifo, i) => kept[i] ?? this.#open(fifo) ?? [])
  }

  write(line: string): void {
    for (const live of this.#live) this.#writeTo(live, line)
  }

  close(): void {
    for (const live of this.#live) this.#close(live)
    this.#live = []
  }

  #writeTo(live: Live, line: string): void {
    const { path } = live.fifo
    if (live.writer.write(line)) {
      if (live.losing > 0) this.#log.warn(`FIFO ${path}: is read again, lost ${live.losing} lines`)
      live.losing = 0
      return
    }
    if (live.losing === 0)
      this.#log.warn(`FIFO ${path}: is full, nobody reads it; lines are dropped`)
    live.losing++
  }

  #open(fifo: Fifo): Live | null {
    try {
      const writer = openFifo(fifo)
      const idle = { script: null, restart: null, starts: 0, losing: 0, closed: false }
      const live: Live = { fifo, writer, ...idle }
      if (fifo.script !== null) this.#startScript(live, fifo.script)
      return live
    } catch (error) {
      this.#log.error(`FIFO ${fifo.path}: ${error instanceof Error ? error.message : error}`)
      return null
    }
  }

  #startScript(live: Live, script: UserCommand): void {
    const prepared = withWords(script.command, [live.fifo.path])
    if (!prepared.ok) {
      this.#log.error(`FIFO script ${script.raw}: ${prepared.why}`)
      return
    }
    live.starts++
    const { program } = prepared
    live.script = this.#worker.submit(
      { kind: 'run', program, runAs: script.runAs, timeoutMs: null },
      (result) => this.#scriptEnded(live, script, result),
    )
  }

  #scriptEnded(live: Live, script: UserCommand, result: JobResult): void {
    if (live.closed) return
    // Lost with its worker: it may still read, and two readers would share the lines.
    live.script?.signal('SIGTERM')
    live.script = null
    const delay = Math.min(restartMs.most, restartMs.first * 2 ** (live.starts - 1))
    const how = result.kind === 'run' ? ` ${describeRun(script.raw, result)}` : ''
    this.#log.warn(`FIFO script ${script.raw} ended${how}; starting it again in ${delay} ms`)
    live.restart = setTimeout(() => this.#startScript(live, script), delay)
  }

  #close(live: Live): void {
    live.closed = true
    if (live.restart !== null) clearTimeout(live.restart)
    live.script?.signal('SIGTERM')
    live.writer.close()
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
