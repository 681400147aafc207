/** A stream of octets cut into messages of D-Bus. Any local user may send us one: a body that is too large is passed over. */
import { concatBytes } from '../base/bytes.ts'
import { type DbusFrame, dbusFixedHeadBytes, dbusLengths } from './dbus-message.ts'

/** What we are asked has a name or two in it. */
export const dbusBodyBytesMax = 64 * 1024
/** Paths and names of 255 octets and more, several times over. */
export const dbusHeadBytesMax = 16 * 1024

export class DbusFrames {
  #held: Uint8Array = new Uint8Array(0)
  #skip = 0

  /** Those that are complete now; null: this is no stream of messages, and there is no going on. */
  push(chunk: Uint8Array): readonly DbusFrame[] | null {
    const skipped = Math.min(this.#skip, chunk.length)
    this.#skip -= skipped
    this.#held = concatBytes([this.#held, chunk.subarray(skipped)])
    const frames: DbusFrame[] = []
    for (;;) {
      if (this.#held.length < dbusFixedHeadBytes) return frames
      const lengths = dbusLengths(this.#held)
      if (lengths === null) return null
      const { head, body } = lengths
      if (head > dbusHeadBytesMax) this.#pass(head + body)
      else if (this.#held.length < head) return frames
      else if (body > dbusBodyBytesMax) {
        frames.push({ head: this.#held.slice(0, head), body: null })
        this.#pass(head + body)
      } else if (this.#held.length < head + body) return frames
      else {
        frames.push({
          head: this.#held.slice(0, head),
          body: this.#held.slice(head, head + body),
        })
        this.#pass(head + body)
      }
    }
  }

  #pass(octets: number): void {
    this.#skip = Math.max(0, octets - this.#held.length)
    this.#held = this.#held.subarray(octets)
  }
}
