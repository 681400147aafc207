/**
 * Regular files, read within bounds. Every file that was asked for leaves a mark (device, inode, size, time of
 * change), by which it can be told later whether it has changed, without reading it again.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import type { FileText } from '../config/world.ts'
import { fileBytesMax, totalBytesMax } from './bounds.ts'

/** null: there was no such file, or it could not be looked at. */
export type Mark = {
  readonly device: bigint
  readonly inode: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
} | null

export type MarkedFile = { readonly path: string; readonly mark: Mark }

export type FileBounds = { readonly fileBytes: number; readonly totalBytes: number }

const usualBounds: FileBounds = { fileBytes: fileBytesMax, totalBytes: totalBytesMax }
const chunkBytes = 256 * 1024

export class FileReader {
  readonly #bounds: FileBounds
  readonly #marks = new Map<string, Mark>()
  #totalBytes = 0

  constructor(bounds = usualBounds) {
    this.#bounds = bounds
  }

  /** In the order of reading; of a file that was read twice as it was first. */
  get seen(): readonly MarkedFile[] {
    return [...this.#marks].map(([path, mark]) => ({ path, mark }))
  }

  /** Never throws and never waits for a writer: a FIFO or device is not opened. */
  read(path: string): FileText {
    try {
      return this.#read(path)
    } catch (error) {
      this.#see(path, null)
      return { why: reasonOf(error), limit: false }
    }
  }

  /** Nothing lies at the path, which the configuration depends on too. */
  missing(path: string): void {
    this.#see(path, null)
  }

  #read(path: string): FileText {
    // Opening a device may already do something (a watchdog, a tape).
    const refusal = notRegular(statSync(path))
    // What lies at the path may change between the two calls: the descriptor decides, and does not block.
    const fd = refusal === null ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : -1
    if (refusal !== null || fd < 0) {
      this.#see(path, markOf(path))
      return { why: refusal ?? '', limit: false }
    }
    try {
      return this.#readOpen(path, fd)
    } finally {
      closeSync(fd)
    }
  }

  #readOpen(path: string, fd: number): FileText {
    const facts = fstatSync(fd, { bigint: true })
    this.#see(path, toMark(facts))
    const refusal = notRegular(facts)
    if (refusal !== null) return { why: refusal, limit: false }
    const { fileBytes, totalBytes } = this.#bounds
    const room = Math.min(fileBytes, totalBytes - this.#totalBytes)
    const octets = Number(facts.size) > room ? null : readUpTo(fd, room)
    if (octets === null) {
      const limit =
        room === fileBytes
          ? `it is larger than ${inWords(fileBytes)}`
          : `the files of the configuration are larger than ${inWords(totalBytes)} together`
      return { why: limit, limit: true }
    }
    this.#totalBytes += octets.length
    return { text: octets.toString('utf8') }
  }

  #see(path: string, mark: Mark): void {
    if (!this.#marks.has(path)) this.#marks.set(path, mark)
  }
}

/** The file as it is now; null: nothing is there, or it cannot be looked at. */
export function markOf(path: string): Mark {
  try {
    return toMark(statSync(path, { bigint: true }))
  } catch {
    return null
  }
}

export function sameMark(a: Mark, b: Mark): boolean {
  if (a === null || b === null) return a === b
  return (
    a.device === b.device && a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs
  )
}

type BigFacts = {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}

const toMark = ({ dev, ino, size, mtimeNs }: BigFacts): Mark => ({
  device: dev,
  inode: ino,
  size,
  mtimeNs,
})

type Kind = Pick<
  Stats,
  'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice'
>

function notRegular(facts: Kind): string | null {
  if (facts.isFile()) return null
  if (facts.isDirectory()) return 'it is a directory'
  if (facts.isFIFO()) return 'it is a FIFO, not a regular file'
  if (facts.isSocket()) return 'it is a socket, not a regular file'
  return 'it is a device, not a regular file'
}

/** Some files (of /proc) have no size and yet a content, and a file may grow: counted while reading. */
function readUpTo(fd: number, room: number): Buffer | null {
  const chunks: Buffer[] = []
  let length = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    const more = readSync(fd, chunk, 0, chunkBytes, null)
    if (more === 0) return Buffer.concat(chunks, length)
    length += more
    if (length > room) return null
    chunks.push(chunk.subarray(0, more))
  }
}

const inWords = (octets: number): string =>
  octets < 1024 * 1024 ? `${octets} octets` : `${octets / 1024 / 1024} MiB`

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'its symbolic links lead in a circle',
  ENXIO: 'it is not a regular file',
  EIO: 'input/output error',
  ESTALE: 'its file server has forgotten it',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return reasons[code] ?? code
}
