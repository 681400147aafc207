/**
 * A notification FIFO: created at start, written without ever waiting, removed at the end. Opened for
 * reading too, so that lines written while nobody reads wait in the pipe; a full pipe drops the line.
 */
import { execFileSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { OpError } from '../base/errors.ts'
import type { Fifo } from '../config/types.ts'

export type FifoWriter = {
  readonly path: string
  /** Lines lost since the start because nobody read. */
  readonly dropped: number
  /** False when the line was dropped. */
  write(line: string): boolean
  close(): void
}

/** Throws OpError when there is something else at that path or it cannot be made. Blocks for one mkfifo(1). */
export function openFifo({ path, owner }: Pick<Fifo, 'path' | 'owner'>): FifoWriter {
  const created = makeFifo(path)
  try {
    if (owner !== null) chownSync(path, owner.uid, owner.gid)
    const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW
    return new OpenFifo(path, openSync(path, flags), created)
  } catch (error) {
    if (created) unlinkQuietly(path)
    throw new OpError(`open ${path}`, codeOf(error))
  }
}

class OpenFifo implements FifoWriter {
  readonly path: string
  dropped = 0
  readonly #fd: number
  readonly #created: boolean

  constructor(path: string, fd: number, created: boolean) {
    this.path = path
    this.#fd = fd
    this.#created = created
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
    closeSync(this.#fd)
    if (this.#created) unlinkQuietly(this.path)
  }
}

/** True when it was not there. Node has no call that makes a FIFO. */
function makeFifo(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isFIFO()) return false
  if (there !== undefined) throw new OpError(`mkfifo ${path}`, 'EEXIST', 'it is not a FIFO')
  try {
    execFileSync('mkfifo', ['-m', '644', '--', path], { stdio: 'ignore', timeout: 2_000 })
    return true
  } catch (error) {
    throw new OpError(`mkfifo ${path}`, codeOf(error))
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Somebody else removed it.
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return 'failed'
}
