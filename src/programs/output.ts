/**
 * Where a command's output goes: a pipe that is always being emptied and of which the last few kilobytes
 * are remembered. It is a real pipe (an unlinked FIFO), not the socket pair that Node would make, because
 * scripts open /dev/stderr again and that fails on a socket. One pipe serves all runs of a check and stays
 * open between them, so a daemon that a script leaves behind can go on writing.
 */
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostFiles } from '../addon/host-files.ts'
import { assert } from '../base/assert.ts'
import { scriptOutputBytesMax } from '../base/limits.ts'

export class OutputPipe {
  readonly #fd: number
  readonly #socket: Socket
  #tail = Buffer.alloc(0)

  /** `path` is a FIFO; it may be unlinked afterwards. */
  constructor(path: string) {
    // Read-write: the pipe then has a writer for ever and never reports its end.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    this.#socket = new Socket({ fd: this.#fd, readable: true, writable: false })
    this.#socket.on('data', (chunk: Buffer) => this.#keep(chunk))
    this.#socket.on('error', () => this.close())
    this.#socket.unref()
  }

  /** Forgets what was written; a run begins. */
  clear(): void {
    this.text()
    this.#tail = Buffer.alloc(0)
  }

  /** A descriptor for a child's standard output and error; the caller closes it after the spawn. */
  openWriteEnd(): number {
    // The number may belong to another file by now.
    assert(!this.#socket.destroyed, 'the pipe is open')
    return openSync(`/proc/self/fd/${this.#fd}`, constants.O_WRONLY)
  }

  /** The last `scriptOutputBytesMax` bytes, what still lies in the pipe included. */
  text(): string {
    if (!this.#socket.destroyed) this.#drain()
    return new TextDecoder().decode(this.#tail).trimEnd()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Bounded: a writer that never stops must not hold us here. */
  #drain(): void {
    const buffer = Buffer.alloc(16 * 1024)
    for (let turn = 0; turn < 8; turn++) {
      const length = readSome(this.#fd, buffer)
      if (length === 0) return
      this.#keep(buffer.subarray(0, length))
    }
  }

  #keep(chunk: Buffer): void {
    const joined = chunk.length >= scriptOutputBytesMax ? chunk : Buffer.concat([this.#tail, chunk])
    this.#tail = Buffer.from(joined.subarray(-scriptOutputBytesMax))
  }
}

function readSome(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch {
    return 0
  }
}

/** A script under another user opens /dev/stderr again. */
const modeForAll = 0o622

/**
 * As many pipes as asked for. On a machine where no directory takes a FIFO the list is empty and output is lost, which is no reason not to check.
 */
export function openPipes(count: number): readonly OutputPipe[] {
  if (count === 0) return []
  for (const parent of [tmpdir(), '/run', '/dev/shm']) {
    const pipes = openPipesBelow(parent, count)
    if (pipes !== null) return pipes
  }
  return []
}

function openPipesBelow(parent: string, count: number): readonly OutputPipe[] | null {
  let directory: string | null = null
  const pipes: OutputPipe[] = []
  try {
    directory = mkdtempSync(join(parent, 'vipd-'))
    const paths = Array.from({ length: count }, (_, i) => `${directory}/${i}`)
    for (const path of paths) {
      if (hostFiles().makePipe(path, modeForAll) !== 0) return closed(pipes)
      pipes.push(new OutputPipe(path))
    }
    return pipes
  } catch {
    return closed(pipes)
  } finally {
    if (directory !== null) rmSync(directory, { recursive: true, force: true })
  }
}

function closed(pipes: readonly OutputPipe[]): null {
  for (const pipe of pipes) pipe.close()
  return null
}

/** Closes a descriptor that may be gone already. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Nothing to close is what we wanted.
  }
}
