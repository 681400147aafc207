/**
 * A notification FIFO: made anew at start, written without ever waiting, removed at the end. Opened for
 * reading too, so that lines written while there is no reader wait in the pipe; a full pipe drops the line.
 */
import { closeSync, writeSync } from 'node:fs'
import { failureOf } from '../addon/bindings.ts'
import { hostFiles } from '../addon/host-files.ts'
import { OpError } from '../base/errors.ts'
import type { Fifo } from '../config/notify.ts'

export type FifoWriter = {
  readonly path: string
  /** Lines lost since the start because no program read them. */
  readonly dropped: number
  /** It is removed at the end. */
  readonly made: boolean
  /** False when the line was dropped. */
  write(line: string): boolean
  close(): void
}

/**
 * What a daemon that was killed has left there is replaced: its readers may still live. Throws OpError when there is
 * something else at that path, or it cannot be made.
 */
export function openFifo({ path, owner }: Pick<Fifo, 'path' | 'owner'>): FifoWriter {
  try {
    const { fd, replaced } = hostFiles().makeFifo(path, owner)
    return new OpenFifo(path, fd, !replaced)
  } catch (error) {
    const detail = error instanceof Error && 'detail' in error ? String(error.detail) : ''
    throw new OpError(`mkfifo ${path}`, failureOf(error), detail)
  }
}

/** One of another process, which writes no more to it: what lies in it stays. `made`: that process made it. Throws OpError. */
export function openPassedFifo(fifo: Pick<Fifo, 'path' | 'owner'>, made: boolean): FifoWriter {
  const fd = hostFiles().useFifo(fifo.path, fifo.owner)
  // It has been removed, or replaced by something else.
  return fd < 0 ? openFifo(fifo) : new OpenFifo(fifo.path, fd, made)
}

class OpenFifo implements FifoWriter {
  readonly path: string
  dropped = 0
  readonly #fd: number
  readonly made: boolean

  constructor(path: string, fd: number, made: boolean) {
    this.path = path
    this.#fd = fd
    this.made = made
  }

  write(line: string): boolean {
    try {
      // Lines are shorter than PIPE_BUF: all of it goes in, or none.
      writeSync(this.#fd, line)
      return true
    } catch {
      this.dropped++
      return false
    }
  }

  /** A FIFO that was there before us stays. */
  close(): void {
    if (this.made) hostFiles().removeFifo(this.path, this.#fd)
    closeSync(this.#fd)
  }
}
