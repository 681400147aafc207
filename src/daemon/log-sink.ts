/**
 * Where log lines leave the process. The picture to hold: a bounded queue and at most one write under
 * way. A reader that stopped fills the queue, and from then on lines are dropped and counted; the event
 * loop never waits, and neither does a thread of libuv's pool, because pipes and terminals are opened
 * anew without blocking. (pino's own destination would wait for such a reader at exit, for ever.)
 */
import { closeSync, constants, fstatSync, openSync, write } from 'node:fs'
import { Socket } from 'node:net'

/** Memory that lines may take while the reader does not read. */
const queuedBytesMax = 1024 * 1024
const batchBytesMax = 64 * 1024
const busyRetryMs = 50

type Done = (error: NodeJS.ErrnoException | null, written: number) => void
type Put = (bytes: Buffer, done: Done) => void

export type LogSink = {
  /** One or more whole lines with their newline. Never blocks, never throws. */
  write(text: string): void
  /** True when everything was written within `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>
}

/**
 * Opens a sink on a file descriptor of ours. `lost` words the line that tells of `count` dropped ones,
 * written as soon as the reader reads again.
 */
export function openLogSink(fd: number, lost: (count: number) => string): LogSink {
  const put = putterFor(fd)
  const idle = new Set<() => void>()
  let queue: string[] = []
  let queuedBytes = 0
  let dropped = 0
  let writing = false
  let broken = false

  const settle = () => {
    for (const wake of idle) wake()
    idle.clear()
  }

  const next = () => {
    if (queue.length === 0 && dropped > 0 && !broken) {
      queue.push(lost(dropped))
      dropped = 0
    }
    writing = queue.length > 0
    if (!writing) return settle()
    const batch: string[] = []
    for (let size = 0; queue.length > 0 && size < batchBytesMax; ) {
      const line = queue.shift() ?? ''
      batch.push(line)
      size += Buffer.byteLength(line)
    }
    send(Buffer.from(batch.join('')))
  }

  const send = (bytes: Buffer) => {
    put(bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => send(bytes), busyRetryMs).unref()
        return
      }
      if (error === null && written < bytes.length) {
        queuedBytes -= written
        send(bytes.subarray(written))
        return
      }
      queuedBytes = Math.max(0, queuedBytes - bytes.length)
      if (error?.code === 'EPIPE' || error?.code === 'EBADF') {
        broken = true
        queue = []
        queuedBytes = 0
      }
      next()
    })
  }

  return {
    write(text) {
      const size = Buffer.byteLength(text)
      if (broken) return
      if (queuedBytes + size > queuedBytesMax) {
        dropped++
        return
      }
      queue.push(text)
      queuedBytes += size
      if (!writing) next()
    },
    flush(timeoutMs) {
      if (!writing) return Promise.resolve(true)
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), timeoutMs)
        idle.add(() => {
          clearTimeout(timer)
          resolve(true)
        })
      })
    },
  }
}

/** A socket (journald's stream) is written by libuv without blocking; anything else by write(2). */
function putterFor(fd: number): Put {
  const kind = fstatSync(fd)
  if (kind.isSocket()) {
    const socket = new Socket({ fd, readable: false, writable: true })
    socket.unref()
    socket.on('error', () => {})
    return (bytes, done) => {
      socket.write(bytes, (error) => done(error ?? null, bytes.length))
    }
  }
  const own = kind.isFIFO() || kind.isCharacterDevice() ? reopened(fd) : fd
  return (bytes, done) => write(own, bytes, (error, written) => done(error, written))
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
