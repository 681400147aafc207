/** Connects, and says and hears what it was told to: the probe behind tcp, tls, unix and the line protocols. */
import type { Socket } from 'node:net'
import type { DialogueProbe, Expectation } from '../base/probe.ts'
import { type Asking, describeFailure, open, Refusal } from './probe-connection.ts'
import { judge, unanswered } from './probe-expectation.ts'

/** Resolves with the words of success. Rejects with a Refusal. */
export async function dialogue({ to, tls, turns }: DialogueProbe, asking: Asking): Promise<string> {
  const socket = await open(to, tls, asking)
  if (turns.length > 0) socket.once('data', () => asking.passed('first byte'))
  const ear = new Ear(socket)
  for (const turn of turns) {
    if (turn.kind === 'send') socket.write(turn.octets)
    else await ear.hears(turn.what)
  }
  return turns.length === 0 ? 'connected' : 'answered as expected'
}

/** Collects what arrives and settles the expectation that waits. */
class Ear {
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

  hears(what: Expectation): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const judgement = judge(what, this.#heard)
        if (judgement.kind === 'right') {
          this.#heard = judgement.rest
          this.#look = () => undefined
          resolve()
        } else if (judgement.kind === 'wrong') reject(new Refusal(judgement.why))
        else if (this.#ended !== null)
          reject(new Refusal(this.#ended === '' ? unanswered(what, this.#heard) : this.#ended))
      }
      this.#look()
    })
  }
}
