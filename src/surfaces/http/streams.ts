/**
 * `/api/v1/events`: who listens gets the whole status first, then every transition at once and the status again as it
 * moves. A reader that does not read is dropped: what waits for it is one status at most, and a little more.
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
  #passes = 0
  #pairs = 0

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
    response.on('close', () => this.#readers.delete(reader))
    response.write('retry: 1000\n\n')
    response.write(event('status', status))
  }

  transition(what: Transition): void {
    const bytes = event('transition', Buffer.from(JSON.stringify(what)))
    for (const reader of this.#readers) this.#write(reader, bytes)
  }

  /** Each second, if there is one: `status` is the same for all. */
  status(status: Buffer): void {
    const every = Math.ceil(status.length / usualBytes)
    const due = this.#passes++ % every === 0
    const bytes = due ? event('status', status) : event('beat', Buffer.from('{}'))
    for (const reader of this.#readers) if (this.#reads(reader, due)) this.#write(reader, bytes)
  }

  /** What the peers say, to who takes what it is sent. It comes as often as statuses of that length do. */
  pair(pair: Buffer): void {
    if (this.#pairs++ % Math.ceil(pair.length / usualBytes) !== 0) return
    const bytes = event('pair', pair)
    for (const reader of this.#readers)
      if (reader.response.writableLength === 0) this.#write(reader, bytes)
  }

  /** Whether it takes the next one. One that has not taken the last status yet gets no further one. */
  #reads(reader: Reader, due: boolean): boolean {
    const { response } = reader
    if (response.writableLength === 0) {
      reader.emptyAt = performance.now()
      return true
    }
    if (performance.now() - reader.emptyAt <= stalledMs) return !due
    response.destroy()
    return false
  }

  /** The daemon gives no status: the page has to say so. */
  silence(): void {
    for (const reader of this.#readers) this.#write(reader, event('silence', Buffer.from('{}')))
  }

  close(): void {
    for (const { response } of this.#readers) response.destroy()
  }

  #write({ response }: Reader, bytes: Buffer): void {
    if (response.writableLength > waitingBytesMax + bytes.length) response.destroy()
    else response.write(bytes)
  }
}

const event = (name: string, data: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`event: ${name}\ndata: `), data, Buffer.from('\n\n')])
