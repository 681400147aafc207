/** Collects what arrives on a connection and hands it, piece by piece, to its reader. */
import type { Socket } from 'node:net'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { describeFailure } from './connection.ts'

/**
 * What has been received so far is what was expected, with the value that was read and what came behind it; or is not, in
 * the operator's words; or more must come.
 */
export type Judgement<T = undefined> =
  | { readonly kind: 'match'; readonly value: T; readonly rest: Buffer }
  | { readonly kind: 'mismatch'; readonly why: string }
  | { readonly kind: 'incomplete' }

export class StreamReader {
  #received: Buffer = Buffer.alloc(0)
  #ended: string | null = null
  #look: () => void = () => undefined

  constructor(socket: Socket) {
    socket.on('data', (piece: Buffer) => {
      this.#received = Buffer.concat([this.#received, piece])
      this.#look()
    })
    socket.once('error', (error) => this.#end(describeFailure(error)))
    socket.once('end', () => this.#end(''))
    socket.once('close', () => this.#end(''))
  }

  #end(why: string): void {
    this.#ended ??= why
    this.#look()
  }

  /** Resolves with the value of a match; `missing` has the words for an end that came too early. */
  read<T>(
    read: (received: Buffer) => Judgement<T>,
    missing: (received: Buffer) => string = () => 'closed in the middle of an answer',
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const judgement = this.#judge(read)
        if (judgement.kind === 'match') {
          this.#received = judgement.rest
          this.#look = () => undefined
          resolve(judgement.value)
        } else if (judgement.kind === 'mismatch') reject(new ProbeFailure(judgement.why))
        else if (this.#ended !== null) reject(new ProbeFailure(this.#why(missing)))
      }
      this.#look()
    })
  }

  /** A ProbeFailure that `read` throws is a mismatch. */
  #judge<T>(read: (received: Buffer) => Judgement<T>): Judgement<T> {
    try {
      return read(this.#received)
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error
      return { kind: 'mismatch', why: error.message }
    }
  }

  #why(missing: (received: Buffer) => string): string {
    if (this.#ended !== null && this.#ended !== '') return this.#ended
    return this.#received.length === 0 ? 'closed without an answer' : missing(this.#received)
  }
}
