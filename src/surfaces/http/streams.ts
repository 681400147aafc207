/**
 * `/api/v1/events`: a listener gets the whole status first, then every transition at once and the status again as it
 * moves. A reader that does not read is dropped: what waits for it is one status at most, and a little more. The octets of a
 * status are the same for all of them, and are there once.
 */
import type { ServerResponse } from 'node:http'
import type { Transition } from '../../report/status.ts'

/** Behind the status that is on its way. */
const waitingBytesMax = 256 * 1024
/** A reader whose buffer did not empty once in so long does not read. */
const stalledMs = 15_000
/** A status goes out each second while it is no longer than this, and so many times less often as it is longer. */
const usualBytes = 64 * 1024

type Reader = {
  readonly response: ServerResponse
  /** When all that was written had left. */
  emptyAt: number
}

export class Streams {
  readonly #readers = new Set<Reader>()
  readonly #max: number
  /** Monotonic milliseconds: no status, and no pair, goes out before. */
  #statusFrom = 0
  #pairFrom = 0
  /** Of the longest that was sent lately: so much may be on its way to a reader that reads. */
  #longestBytes = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#readers.size
  }

  get full(): boolean {
    return this.#readers.size >= this.#max
  }

  /** The head of the answer has been written. */
  add(response: ServerResponse, status: Buffer): void {
    const reader: Reader = { response, emptyAt: performance.now() }
    this.#readers.add(reader)
    this.#longestBytes = Math.max(this.#longestBytes, status.length)
    response.on('close', () => this.#readers.delete(reader))
    response.write('retry: 1000\n\n')
    write(response, 'status', status)
  }

  transition(what: Transition): void {
    this.#tell('transition', Buffer.from(JSON.stringify(what)))
  }

  /** A client listens, and it is time for another status: one that is not is not even made. */
  get statusDue(): boolean {
    return this.size > 0 && performance.now() >= this.#statusFrom
  }

  get pairDue(): boolean {
    return this.size > 0 && performance.now() >= this.#pairFrom
  }

  /** To the listeners that have taken the last one. */
  status(status: Buffer): void {
    this.#statusFrom = nextAfter(status)
    this.#longestBytes = status.length
    for (const { response } of this.#readers)
      if (response.writableLength === 0) write(response, 'status', status)
  }

  /** What the peers say. It comes as often as statuses of that length do. */
  pair(pair: Buffer): void {
    this.#pairFrom = nextAfter(pair)
    this.#longestBytes = Math.max(this.#longestBytes, pair.length)
    for (const { response } of this.#readers)
      if (response.writableLength === 0) write(response, 'pair', pair)
  }

  /** Each second while the daemon lives. Drops listeners that do not read. */
  beat(): void {
    const now = performance.now()
    for (const reader of this.#readers) {
      if (reader.response.writableLength === 0) reader.emptyAt = now
      else if (now - reader.emptyAt > stalledMs) reader.response.destroy()
    }
    this.#tell('beat', nothing)
  }

  /** The daemon gives no status: the page has to say so. */
  silence(): void {
    this.#tell('silence', nothing)
  }

  close(): void {
    for (const { response } of this.#readers) response.destroy()
  }

  #tell(name: string, data: Buffer): void {
    for (const { response } of this.#readers) {
      if (response.writableLength > this.#longestBytes + waitingBytesMax) response.destroy()
      else write(response, name, data)
    }
  }
}

/** In one piece, without a copy of the data. */
function write(response: ServerResponse, name: string, data: Buffer): void {
  response.cork()
  response.write(`event: ${name}\ndata: `)
  response.write(data)
  response.write('\n\n')
  response.uncork()
}

const nothing = Buffer.from('{}')

const nextAfter = (data: Buffer): number =>
  performance.now() + (Math.ceil(data.length / usualBytes) - 1) * 1_000
