/**
 * Log lines to journald with their fields, as datagrams. Nothing waits: while journald's queue is full they wait here, as
 * many as `queuedBytesMax` holds, and then are dropped and counted. Where its socket is not there (a container, a journald
 * that is being restarted) a line goes to the stream that systemd opened as standard error, with its severity before it.
 */
import { tellSupervisor } from '../engine/native.ts'
import { type JournalEntry, journalDatagram } from './journal-entry.ts'
import type { LogSink } from './log-sink.ts'

const queuedBytesMax = 1024 * 1024
const busyRetryMs = 50
/** Between looks whether all has been sent. */
const flushLookMs = 10

export type JournalSinkOptions = {
  readonly path: string
  /** Takes what the socket does not; lines of `<N>text`. */
  readonly stream: LogSink
  /** The entry that tells of `count` dropped ones. */
  readonly lost: (count: number) => JournalEntry
}

export class JournalSink {
  readonly #options: JournalSinkOptions
  #queue: JournalEntry[] = []
  #queuedBytes = 0
  #dropped = 0
  #retry: NodeJS.Timeout | null = null

  constructor(options: JournalSinkOptions) {
    this.#options = options
  }

  write(entry: JournalEntry): void {
    if (this.#queue.length === 0 && this.#send(entry)) return
    const size = sizeOf(entry)
    if (this.#queuedBytes + size > queuedBytesMax) {
      this.#dropped += 1
      return
    }
    this.#queue.push(entry)
    this.#queuedBytes += size
    this.#retryLater()
  }

  /** True when everything was written within `timeoutMs`. */
  async flush(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs
    while (this.#queue.length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, flushLookMs))
      this.#sendQueued()
    }
    const left = Math.max(1, until - performance.now())
    return (await this.#options.stream.flush(left)) && this.#queue.length === 0
  }

  /** False: journald's queue is full. */
  #send(entry: JournalEntry): boolean {
    const { path, stream } = this.#options
    const code = tellSupervisor(path, journalDatagram(entry))
    if (code === 'EAGAIN' || code === 'ENOBUFS') return false
    if (code !== null) stream.write(`<${entry.priority}>${entry.text}\n`)
    return true
  }

  #sendQueued(): void {
    let sent = 0
    for (const entry of this.#queue) {
      if (!this.#send(entry)) break
      this.#queuedBytes -= sizeOf(entry)
      sent += 1
    }
    this.#queue.splice(0, sent)
    if (this.#queue.length > 0) return this.#retryLater()
    if (this.#dropped === 0) return
    const count = this.#dropped
    this.#dropped = 0
    this.write(this.#options.lost(count))
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.#sendQueued()
    }, busyRetryMs).unref()
  }
}

const sizeOf = ({ text }: JournalEntry): number => 256 + Buffer.byteLength(text)
