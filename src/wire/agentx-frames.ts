/** A stream of octets, cut into AgentX packets: several may arrive at once, or one in pieces. */
import { concatBytes } from '../base/bytes.ts'
import { agentxHeadBytes, decodeAgentxHead } from './agentx.ts'
import { accept, type Decoded, reject } from './decoded.ts'

/** A request for some hundred objects is a few thousand octets long. */
export const agentxPayloadMax = 128 * 1024

export class AgentxFrames {
  #chunks: Uint8Array[] = []
  #held = 0
  /** Of the packet that has begun; its head, until that is known. */
  #wanted = agentxHeadBytes

  /** Whole packets, in order. What is refused leaves a stream that cannot be read on. */
  take(chunk: Uint8Array): Decoded<readonly Uint8Array[], 'bad-version' | 'too-long'> {
    const packets: Uint8Array[] = []
    this.#chunks.push(chunk)
    this.#held += chunk.length
    while (this.#held >= this.#wanted) {
      const all = this.#join()
      const head = decodeAgentxHead(all)
      if (!head.ok) return reject('bad-version')
      if (head.value.length > agentxPayloadMax) return reject('too-long')
      this.#wanted = agentxHeadBytes + head.value.length
      if (this.#held < this.#wanted) break
      packets.push(all.subarray(0, this.#wanted))
      this.#keep(all.subarray(this.#wanted))
    }
    return accept(packets)
  }

  /** Only when there is enough: octets that come one by one are not copied each time. */
  #join(): Uint8Array {
    const [first] = this.#chunks
    const all = first !== undefined && this.#chunks.length === 1 ? first : concatBytes(this.#chunks)
    this.#chunks = [all]
    return all
  }

  #keep(rest: Uint8Array): void {
    this.#chunks = [rest]
    this.#held = rest.length
    this.#wanted = agentxHeadBytes
  }
}
