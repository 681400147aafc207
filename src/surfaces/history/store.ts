/**
 * Writes transitions to the disk, in the thread: appended and synced, so that a crash costs the last line at most; rotated,
 * so that they take a bounded place. Numbers are reserved on the disk before they are given: none is given twice, whatever
 * ends the daemon.
 */
import { existsSync, renameSync } from 'node:fs'
import type { KeptTransition } from '../../report/kept.ts'
import { AppendedFile, makePrivate } from './appended-file.ts'
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
  #file: AppendedFile
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
    this.#file = new AppendedFile(historyFile(directory, 0))
    try {
      // Behind a line that a crash has torn.
      if (this.#file.bytes > 0) this.#file.append('\n')
      if (this.#file.bytes === 0) this.#begin()
      else this.#reserve()
    } catch (error) {
      this.#file.close()
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
    this.#file.append(fresh.map((it) => `${JSON.stringify(it)}\n`).join(''))
    this.#written = greatest
    if (this.#reserved - greatest < reserveCount / 2) this.#reserve()
    if (this.#file.bytes > fileBytesMax) this.#rotate()
  }

  /** In order: no number is left out. */
  close(last: number): void {
    try {
      this.#file.append(`${JSON.stringify({ closed: Math.max(last, this.#written) })}\n`)
    } finally {
      this.#file.close()
    }
  }

  /** Lets go of the file as a crash would. */
  abandon(): void {
    this.#file.close()
  }

  #reserve(): void {
    const reserved = this.#reserved + reserveCount
    this.#file.append(`${JSON.stringify({ reserved })}\n`)
    this.#reserved = reserved
  }

  #begin(): void {
    const reserved = this.#reserved + reserveCount
    const head = { schema: historySchema, first: this.#written + 1, reserved }
    this.#file.append(`${JSON.stringify(head)}\n`)
    this.#reserved = reserved
  }

  #rotate(): void {
    for (let age = olderFiles; age > 0; age -= 1) {
      const path = historyFile(this.#directory, age - 1)
      if (existsSync(path)) renameSync(path, historyFile(this.#directory, age))
    }
    const fresh = new AppendedFile(historyFile(this.#directory, 0))
    this.#file.close()
    this.#file = fresh
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
