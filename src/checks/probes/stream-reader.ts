/** Collects what arrives on a connection and hands it, piece by piece, to whoever reads it. */
import type { Socket } from 'node:net'
import { Refusal } from '../verdict/probe-failure.ts'
import { describeFailure } from './connection.ts'

/**
 * What has been heard so far says: right, with what was read and what came behind it; wrong, in the operator's
 * words; or that more must come.
 */
export type Judgement<T = undefined> =
  | { readonly kind: 'right'; readonly value: T; readonly rest: Buffer }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'open' }

export class Ear {
  #heard: Buffer = Buffer.alloc(0)
  #ended: string | null = null
  #look: () => void = () => undefined

  constructor(socket: Socket) {
    socket.on('data', (piece: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, piece])
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

  /** Resolves with what `read` found right; `missing` has the words for an end that came too early. */
  hears<T>(
    read: (heard: Buffer) => Judgement<T>,
    missing: (heard: Buffer) => string = () => 'closed in the middle of an answer',
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const judgement = this.#judge(read)
        if (judgement.kind === 'right') {
          this.#heard = judgement.rest
          this.#look = () => undefined
          resolve(judgement.value)
        } else if (judgement.kind === 'wrong') reject(new Refusal(judgement.why))
        else if (this.#ended !== null) reject(new Refusal(this.#why(missing)))
      }
      this.#look()
    })
  }

  /** A reader that gives up with a Refusal says wrong. */
  #judge<T>(read: (heard: Buffer) => Judgement<T>): Judgement<T> {
    try {
      return read(this.#heard)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { kind: 'wrong', why: error.message }
    }
  }

  #why(missing: (heard: Buffer) => string): string {
    if (this.#ended !== null && this.#ended !== '') return this.#ended
    return this.#heard.length === 0 ? 'closed without an answer' : missing(this.#heard)
  }
}
