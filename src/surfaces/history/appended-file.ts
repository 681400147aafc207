/** A file of lines that are appended and synced, in a directory of the daemon alone: a crash costs the last line at most. */
import * as fs from 'node:fs'
import { dirname } from 'node:path'

const {
  O_WRONLY,
  O_APPEND,
  O_CREAT,
  O_TRUNC,
  O_NOFOLLOW,
  O_CLOEXEC = 0,
} = fs.constants as typeof fs.constants & {
  O_CLOEXEC?: number
}

export class AppendedFile {
  readonly #fd: number
  /** Of what is whole in it. */
  #bytes: number

  /** Makes it where it is missing. `anew`: without what it holds. Throws the system's error. */
  constructor(path: string, anew = false) {
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (anew ? O_TRUNC : 0)
    this.#fd = fs.openSync(path, flags, 0o600)
    this.#bytes = fs.fstatSync(this.#fd).size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whole or not at all: what a full disk took of it is cut off again. Throws the system's error. */
  append(text: string): void {
    const bytes = Buffer.from(text)
    try {
      for (let at = 0; at < bytes.length; )
        at += fs.writeSync(this.#fd, bytes, at, bytes.length - at)
      fs.fdatasyncSync(this.#fd)
    } catch (error) {
      fs.ftruncateSync(this.#fd, this.#bytes)
      throw error
    }
    this.#bytes += bytes.length
  }

  close(): void {
    fs.closeSync(this.#fd)
  }
}

/** Made where it is missing; only root and the daemon's user may put something there, else it throws. */
export function makePrivate(directory: string): void {
  if (!fs.existsSync(directory)) {
    if (!fs.existsSync(dirname(directory))) fs.mkdirSync(dirname(directory), { mode: 0o700 })
    fs.mkdirSync(directory, { mode: 0o700 })
  }
  const { uid, mode } = fs.statSync(directory)
  const owners = [0, process.geteuid?.() ?? 0]
  if (!owners.includes(uid) || (mode & 0o022) !== 0)
    throw new Error(`${directory} belongs to another user, or others may write there`)
}
