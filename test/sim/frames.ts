/**
 * What a host hears of the frames on the segment, as its packet sockets would: of each watch those of its type. The
 * filter is not run: what it would drop the main thread must overlook.
 */
import type { Ip } from '../../src/base/ip.ts'
import { macText } from '../../src/base/mac.ts'
import type { Us } from '../../src/base/time.ts'
import type {
  Frames,
  FrameWatchCounters,
  FrameWatchId,
  FrameWatchSpec,
  HeardFrame,
} from '../../src/engine/frames-contract.ts'
import { decodeClaim } from '../../src/wire/claim.ts'
import { encodeUnsolicitedNa } from '../../src/wire/ndp.ts'
import { arpFrame, zeroIp } from '../unit/wire/claim-frames.ts'

/** What a kernel, or another machine, answers to a probe for an address that it holds; null: nothing. */
export function answerOf(
  frame: Uint8Array,
  { mac, holds }: { readonly mac: Uint8Array; holds(address: Ip): boolean },
): Uint8Array | null {
  for (const family of [4, 6] as const) {
    const claim = decodeClaim(family, frame)
    if (!claim.ok || claim.value.how !== 'probed') continue
    const { address, mac: asking } = claim.value
    if (!holds(address)) return null
    if (family === 6) return encodeUnsolicitedNa(mac, address, false)
    const reply = { operation: 2, mac: macText(mac), sender: address, target: zeroIp } as const
    return arpFrame({ ...reply, to: asking })
  }
  return null
}

export type SimFramesPorts = {
  now(): Us
  /** Tells the main thread, as soon as it runs. */
  raised(): void
}

/** Waiting for the main thread; the addon's thread bounds them too. */
const waitingMax = 256

export class SimFrames implements Frames {
  readonly #ports: SimFramesPorts
  readonly #watches = new Map<FrameWatchId, FrameWatchSpec>()
  #waiting: HeardFrame[] = []

  constructor(ports: SimFramesPorts) {
    this.#ports = ports
  }

  open(spec: FrameWatchSpec): void {
    this.#watches.set(spec.watch, spec)
  }

  setFilter(): void {}

  close(watch: FrameWatchId): void {
    this.#watches.delete(watch)
  }

  counters(): FrameWatchCounters {
    return { heard: 0, told: 0 }
  }

  stop(): void {
    this.#watches.clear()
    this.#waiting = []
  }

  /** Sockets that hear what leaves. */
  get looks(): number {
    return [...this.#watches.values()].filter(({ direction }) => direction === 'sent').length
  }

  /** A frame of another host, or one that leaves this host. */
  hear(bytes: Uint8Array, as: FrameWatchSpec['direction']): void {
    const type = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0)
    const toGroup = ((bytes[0] ?? 0) & 1) === 1
    for (const { watch, protocol, direction } of this.#watches.values()) {
      if (direction !== as || protocol !== type || this.#waiting.length >= waitingMax) continue
      if (as === 'sent' && !toGroup) continue
      if (this.#waiting.length === 0) this.#ports.raised()
      this.#waiting.push({ watch, at: this.#ports.now(), count: 1, bytes })
    }
  }

  take(): readonly HeardFrame[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }
}
