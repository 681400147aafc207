/**
 * Writes transitions to the disk, in the thread: appended and synced, so that a crash costs the last line at most; rotated,
 * so that they take a bounded place. Numbers are reserved on the disk before they are given: none is given twice, whatever
 * ends the daemon.
 */
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import type { KeptTransition } from '../../report/kept.ts'
import {
  fileBytesMax,
  historyFile,
  historySchema,
  type Line,
  olderFiles,
  readLines,
} from './files.ts'

/** So many numbers at a time, more than a large host's start takes; a crash leaves a gap of at most so many. */
const reserveCount = 5_000

export class HistoryStore {
  readonly #directory: string
  #fd: number
  /** Of what is whole in the file that is written. */
  #bytes = 0
  /** The greatest number of a transition on the disk. */
  #written: number
  /** All numbers before it may have been given by an earlier daemon. */
  readonly next: number
  #reserved: number

  /** Makes the directory where it is missing. Throws the system's error, and NewerSchema. */
  constructor(directory: string) {
    this.#directory = directory
    makePrivate(directory)
    const { written, given } = numbersIn(directory)
    this.#written = written
    this.next = given + 1
    this.#reserved = given
    this.#fd = openFile(directory)
    try {
      this.#bytes = fs.fstatSync(this.#fd).size
      // Behind a line that a crash has torn.
      if (this.#bytes > 0) this.#append('\n')
      if (this.#bytes === 0) this.#begin()
      else this.#reserve()
    } catch (error) {
      fs.closeSync(this.#fd)
      throw error
    }
  }

  get written(): number {
    return this.#written
  }
  /** Numbers up to this one may be given. */
  get reserved(): number {
    return this.#reserved
  }

  /** In the order of their numbers; those that are kept already are passed over. Throws the system's error. */
  keep(transitions: readonly KeptTransition[]): void {
    const fresh = transitions.filter(({ number }) => number > this.#written)
    const greatest = fresh.at(-1)?.number
    if (greatest === undefined) return
    this.#append(fresh.map((it) => `${JSON.stringify(it)}\n`).join(''))
    this.#written = greatest
    if (this.#reserved - greatest < reserveCount / 2) this.#reserve()
    if (this.#bytes > fileBytesMax) this.#rotate()
  }

  /** In order: no number is left out. */
  close(last: number): void {
    try {
      this.#append(`${JSON.stringify({ closed: Math.max(last, this.#written) })}\n`)
    } finally {
      fs.closeSync(this.#fd)
    }
  }

  /** Lets go of the file as a crash would. */
  abandon(): void {
    fs.closeSync(this.#fd)
  }

  #reserve(): void {
    const reserved = this.#reserved + reserveCount
    this.#append(`${JSON.stringify({ reserved })}\n`)
    this.#reserved = reserved
  }

  #begin(): void {
    const reserved = this.#reserved + reserveCount
    const head = { schema: historySchema, first: this.#written + 1, reserved }
    this.#append(`${JSON.stringify(head)}\n`)
    this.#reserved = reserved
  }

  /** Whole or not at all: what a full disk took of it is cut off again. */
  #append(text: string): void {
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

  #rotate(): void {
    for (let age = olderFiles; age > 0; age -= 1) {
      const path = historyFile(this.#directory, age - 1)
      if (fs.existsSync(path)) fs.renameSync(path, historyFile(this.#directory, age))
    }
    const fd = openFile(this.#directory)
    fs.closeSync(this.#fd)
    this.#fd = fd
    this.#bytes = 0
    this.#begin()
  }
}

type Numbers = { readonly written: number; readonly given: number }

/** The greatest number of a transition, and the greatest that may have been given. */
function numbersIn(directory: string): Numbers {
  const none = { written: 0, given: 0 }
  for (let age = 0; age <= olderFiles; age += 1) {
    const lines = readLines(historyFile(directory, age)) ?? []
    if (lines.length > 0) return lines.reduce(numbersAfter, none)
  }
  return none
}

/** An orderly end takes back what was reserved. */
function numbersAfter({ written, given }: Numbers, line: Line): Numbers {
  switch (line.kind) {
    case 'head':
      return { written: line.head.first - 1, given: line.head.reserved }
    case 'reserved':
      return { written, given: Math.max(given, line.number) }
    case 'closed':
      return { written, given: line.number }
    case 'transition': {
      const { number } = line.transition
      return { written: number, given: Math.max(given, number) }
    }
  }
}

const {
  O_WRONLY,
  O_APPEND,
  O_CREAT,
  O_NOFOLLOW,
  O_CLOEXEC = 0,
} = fs.constants as typeof fs.constants & {
  O_CLOEXEC?: number
}

const openFile = (directory: string): number =>
  fs.openSync(
    historyFile(directory, 0),
    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
    0o600,
  )

/** Only root and the daemon's user may put something there. */
function makePrivate(directory: string): void {
  if (!fs.existsSync(directory)) {
    if (!fs.existsSync(dirname(directory))) fs.mkdirSync(dirname(directory), { mode: 0o700 })
    fs.mkdirSync(directory, { mode: 0o700 })
  }
  const { uid, mode } = fs.statSync(directory)
  const owners = [0, process.geteuid?.() ?? 0]
  if (!owners.includes(uid) || (mode & 0o022) !== 0)
    throw new Error(`${directory} belongs to another user, or others may write there`)
}
