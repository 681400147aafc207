/**
 * What two processes of one daemon say to each other over a connected stream: messages of JSON, each behind its length in
 * four octets. The end of the stream is the end of the other process.
 */
import { Socket } from 'node:net'

const headerOctets = 4
/** The state of many thousands of instances. */
const messageOctetsMax = 1 << 30

export class Channel<Sent, Received> {
  readonly #socket: Socket
  readonly #received: Received[] = []
  #parts: Buffer[] = []
  #held = 0
  #ended = false
  #wake: () => void = () => undefined

  /** `onEnd`: the other process has gone. */
  constructor(fd: number, onEnd: () => void = () => undefined) {
    this.#socket = new Socket({ fd, readable: true, writable: true })
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#ended = true
      this.#wake()
      onEnd()
    })
  }

  /** The other process has gone, or does not speak this. */
  get ended(): boolean {
    return this.#ended
  }

  /** Resolves when the kernel has it, or the other process has gone. */
  send(message: Sent): Promise<void> {
    const body = Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(headerOctets)
    head.writeUInt32BE(body.length)
    this.#socket.write(head)
    return new Promise((resolve) => this.#socket.write(body, () => resolve()))
  }

  /** The next message; null: the other process has gone, or it is not there after so long. */
  async next(withinMs: number): Promise<Received | null> {
    const end = performance.now() + withinMs
    for (;;) {
      const message = this.#received.shift()
      if (message !== undefined) return message
      const left = end - performance.now()
      if (this.#ended || left <= 0) return null
      await this.#news(left)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #take(chunk: Buffer): void {
    this.#parts.push(chunk)
    this.#held += chunk.length
    for (let body = this.#body(); body !== null; body = this.#body()) {
      try {
        this.#received.push(JSON.parse(body.toString()) as Received)
      } catch {
        return this.close()
      }
    }
    if (this.#received.length > 0) this.#wake()
  }

  #body(): Buffer | null {
    if (this.#held < headerOctets) return null
    const [first] = this.#parts
    if (first === undefined || first.length < headerOctets)
      this.#parts = [Buffer.concat(this.#parts)]
    const length = (this.#parts[0] as Buffer).readUInt32BE()
    if (length > messageOctetsMax) {
      this.close()
      return null
    }
    if (this.#held < headerOctets + length) return null
    const all = Buffer.concat(this.#parts)
    const rest = all.subarray(headerOctets + length)
    this.#parts = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    return all.subarray(headerOctets, headerOctets + length)
  }
}
