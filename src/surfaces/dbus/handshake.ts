/**
 * What comes before the first message (D-Bus specification, "Authentication Protocol"): the kernel tells the bus who we
 * are, and we name no user, which would be another one behind a user namespace.
 */
import { concatBytes } from '../../base/bytes.ts'

/** A line of the bus is some words. */
const lineBytesMax = 1_024
const lineFeed = 0x0a

export type HandshakeStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'send'; readonly text: string }
  /** `rest`: octets of the first messages. */
  | { readonly kind: 'done'; readonly text: string; readonly rest: Uint8Array }
  | { readonly kind: 'refused'; readonly why: string }

export class Handshake {
  /** Sent first; the zero stands alone for credentials. */
  static readonly opening = '\0AUTH EXTERNAL\r\n'
  #held: Uint8Array = new Uint8Array(0)

  push(chunk: Uint8Array): HandshakeStep {
    this.#held = concatBytes([this.#held, chunk])
    const end = this.#held.indexOf(lineFeed)
    if (end < 0 || end > lineBytesMax)
      return this.#held.length > lineBytesMax
        ? { kind: 'refused', why: 'what answers there is no D-Bus' }
        : { kind: 'wait' }
    const line = new TextDecoder().decode(this.#held.subarray(0, end)).trimEnd()
    this.#held = this.#held.subarray(end + 1)
    const [word] = line.split(' ')
    if (word === 'DATA') return { kind: 'send', text: 'DATA\r\n' }
    if (word === 'OK') return { kind: 'done', text: 'BEGIN\r\n', rest: this.#held }
    if (word === 'REJECTED') return { kind: 'refused', why: 'the bus does not let this user in' }
    return { kind: 'refused', why: 'what answers there is no D-Bus' }
  }
}
