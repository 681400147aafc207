/**
 * The classic pcap stream that tcpdump writes, read as it comes. Little endian (this machine's), microsecond
 * or nanosecond time stamps; a record may arrive in pieces.
 */
import { viewOf } from '../base/bytes.ts'

export type Packet = {
  /** Kernel's time of reception, milliseconds since the epoch, with a fraction. */
  readonly atMs: number
  readonly bytes: Uint8Array
}

const microMagic = 0xa1b2c3d4
const nanoMagic = 0xa1b23c4d
const fileHeaderBytes = 24
const recordHeaderBytes = 16

export class PcapReader {
  #rest: Uint8Array = new Uint8Array(0)
  #perMs = 0

  /** Takes the next piece of the stream; gives the packets that it completes. */
  push(piece: Uint8Array): Packet[] {
    this.#rest = Buffer.concat([this.#rest, piece])
    if (this.#perMs === 0 && !this.#header()) return []
    const packets: Packet[] = []
    for (let next = this.#packet(); next !== null; next = this.#packet()) packets.push(next)
    return packets
  }

  #header(): boolean {
    if (this.#rest.length < fileHeaderBytes) return false
    const magic = viewOf(this.#rest).getUint32(0, true)
    if (magic !== microMagic && magic !== nanoMagic) throw new Error('not a pcap stream')
    this.#perMs = magic === nanoMagic ? 1_000_000 : 1_000
    this.#rest = this.#rest.subarray(fileHeaderBytes)
    return true
  }

  #packet(): Packet | null {
    if (this.#rest.length < recordHeaderBytes) return null
    const view = viewOf(this.#rest)
    const end = recordHeaderBytes + view.getUint32(8, true)
    if (this.#rest.length < end) return null
    const atMs = view.getUint32(0, true) * 1_000 + view.getUint32(4, true) / this.#perMs
    const bytes = this.#rest.slice(recordHeaderBytes, end)
    this.#rest = this.#rest.subarray(end)
    return { atMs, bytes }
  }
}
