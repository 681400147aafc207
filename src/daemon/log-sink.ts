/**
 * Where log lines leave the process. The picture to hold: a bounded queue and at most one write under
 * way. A reader that stopped fills the queue, and from then on lines are dropped and counted; the event
 * loop never waits, and neither does a thread of libuv's pool, because pipes and terminals are opened
 * anew without blocking. (pino's own destination would wait for such a reader at exit, for ever.)
 */
import { closeSync, constants, fstatSync, openSync, write } from 'node:fs'
import { Socket } from 'node:net'
import { journalPut } from './journal-stream.ts'

/** Memory that lines may take while the reader does not read. */
const queuedBytesMax = 1024 * 1024
const batchBytesMax = 64 * 1024
const busyRetryMs = 50
/** After a refusal (a full disk) the line that says how many are missing is tried so often. */
const refusedRetryMs = 2_000

const newline = 0x0a

type Done = (error: NodeJS.ErrnoException | null, written: number) => void
type Put = (bytes: Buffer, done: Done) => void
/** `lasting`: no error is its end, another write may succeed. */
type Outlet = { readonly put: Put; readonly lasting: boolean }

export type LogSink = {
  /** One or more whole lines with their newline. Never blocks, never throws. */
  write(text: string): void
  /** True when everything was written within `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>
}

type Lost = (count: number, why: string | null) => string

/** What is being written: `told` lines are reported as lost by its first line; `partly`: what has been written of it ends within a line. */
type Batch = { readonly bytes: Buffer; readonly told: number; readonly partly: boolean }

/**
 * Opens a sink on a file descriptor of ours. `lost` words the line that tells of `count` dropped ones,
 * written as soon as the reader reads again, or the disk has room; `why`: the errno of a refusal. `journal`: where a
 * broken stream to journald is opened again.
 */
export function openLogSink(fd: number, lost: Lost, journal: string): LogSink {
  return new Sink(outletFor(fd, journal), lost)
}

class Sink implements LogSink {
  readonly #outlet: Outlet
  readonly #lost: Lost
  readonly #idle = new Set<() => void>()
  #queue: string[] = []
  #queuedBytes = 0
  #dropped = 0
  #writing = false
  #broken = false
  /** Errno of what was refused last; null once all is written again. */
  #refusal: string | null = null
  /** Part of a line was written before the refusal. */
  #torn = false
  #retrying = false

  constructor(outlet: Outlet, lost: Lost) {
    this.#outlet = outlet
    this.#lost = lost
  }

  write(text: string): void {
    const size = Buffer.byteLength(text)
    if (this.#broken) return
    if (this.#queuedBytes + size > queuedBytesMax) {
      this.#dropped++
      return
    }
    this.#queue.push(text)
    this.#queuedBytes += size
    if (!this.#writing) this.#next()
  }

  flush(timeoutMs: number): Promise<boolean> {
    if (!this.#writing && this.#dropped > 0) this.#next()
    if (!this.#writing) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs)
      this.#idle.add(() => {
        clearTimeout(timer)
        resolve(true)
      })
    })
  }

  #settle(): void {
    this.#writing = false
    for (const wake of this.#idle) wake()
    this.#idle.clear()
  }

  #next(): void {
    const head = this.#reportLost()
    if (head === null && this.#queue.length === 0) return this.#settle()
    this.#writing = true
    const lines = head === null ? [] : [head.text]
    for (let size = 0; this.#queue.length > 0 && size < batchBytesMax; ) {
      const line = this.#queue.shift() ?? ''
      lines.push(line)
      size += Buffer.byteLength(line)
    }
    this.#send({ bytes: Buffer.from(lines.join('')), told: head?.told ?? 0, partly: false })
  }

  /** After what a slow reader still had to read; what a refusal cost is said before what comes now. */
  #reportLost(): { readonly text: string; readonly told: number } | null {
    const told = this.#dropped
    if (told === 0 || this.#broken) return null
    if (this.#queue.length > 0 && this.#refusal === null) return null
    this.#dropped = 0
    return { text: `${this.#torn ? '\n' : ''}${this.#lost(told, this.#refusal)}`, told }
  }

  #send(batch: Batch): void {
    this.#outlet.put(batch.bytes, (error, written) => {
      if (error === null) this.#wrote(batch, written)
      else if (error.code === 'EAGAIN') setTimeout(() => this.#send(batch), busyRetryMs).unref()
      else this.#failed(batch, error.code ?? error.message)
    })
  }

  #wrote({ bytes, told }: Batch, written: number): void {
    this.#queuedBytes = Math.max(0, this.#queuedBytes - written)
    if (written < bytes.length) {
      const from = bytes[0] === newline ? 1 : 0
      const whole = bytes.subarray(from, written).includes(newline)
      const partly = bytes[written - 1] !== newline
      return this.#send({ bytes: bytes.subarray(written), told: whole ? 0 : told, partly })
    }
    this.#torn = false
    if (this.#dropped === 0) this.#refusal = null
    this.#next()
  }

  /** The rest of the batch is lost: counted, and said when something can be written again. */
  #failed({ bytes, told, partly }: Batch, why: string): void {
    this.#queuedBytes = Math.max(0, this.#queuedBytes - bytes.length)
    if (!this.#outlet.lasting && (why === 'EPIPE' || why === 'EBADF')) {
      this.#broken = true
      this.#queue = []
      this.#queuedBytes = 0
      return this.#settle()
    }
    this.#refusal = why
    this.#torn ||= partly
    const ends = bytes.reduce((sum, byte) => (byte === newline ? sum + 1 : sum), 0)
    // Not the end of the torn line before, nor the line that reports the loss.
    const lines = ends - (bytes[0] === newline ? 1 : 0) - (told > 0 ? 1 : 0)
    this.#dropped += told + lines
    if (this.#queue.length > 0) return this.#next()
    this.#settle()
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#retrying) return
    this.#retrying = true
    setTimeout(() => {
      this.#retrying = false
      if (!this.#writing) this.#next()
    }, refusedRetryMs).unref()
  }
}

/** JOURNAL_STREAM is inherited by programs whose output goes elsewhere: device and inode must be the descriptor's. */
export function isJournal(fd: number): boolean {
  const { dev, ino } = fstatSync(fd)
  return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`
}

/** A socket is written by libuv without blocking, journald's stream for good; anything else by write(2). */
function outletFor(fd: number, journal: string): Outlet {
  const kind = fstatSync(fd)
  if (kind.isSocket() && isJournal(fd)) return { put: journalPut(fd, journal), lasting: true }
  if (kind.isSocket()) {
    const socket = new Socket({ fd, readable: false, writable: true })
    socket.unref()
    socket.on('error', () => {})
    const put: Put = (bytes, done) => {
      socket.write(bytes, (error) => done(error ?? null, bytes.length))
    }
    return { put, lasting: false }
  }
  const own = kind.isFIFO() || kind.isCharacterDevice() ? reopened(fd) : fd
  const put: Put = (bytes, done) => write(own, bytes, (error, written) => done(error, written))
  return { put, lasting: false }
}

/**
 * O_NONBLOCK belongs to the open file, which we may share with the shell that started us; a second opening is
 * ours alone. Where that is refused, the first must do.
 */
function reopened(fd: number): number {
  try {
    const flags =
      constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY
    const own = openSync(`/proc/self/fd/${fd}`, flags)
    process.once('exit', () => closeSync(own))
    return own
  } catch {
    return fd
  }
}
