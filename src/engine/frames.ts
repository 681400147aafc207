/** The frames of frames-contract.ts, heard by the addon's thread. */
import { loadAddon } from '../addon/load.ts'
import { us } from '../base/time.ts'
import type { Addon, FramesPolicy, NativeFrames } from './addon.ts'
import { native } from './edge.ts'
import type {
  Frames,
  FrameWatchCounters,
  FrameWatchId,
  FrameWatchSpec,
  HeardFrame,
} from './frames-contract.ts'

const addon = loadAddon() as Addon

/** How much of what is heard is read and told, whatever is sent. */
export const framesPolicy: FramesPolicy = {
  // Of one address 4 a second, 8 at once: each is worth a look, a flood of them is not.
  key: { everyUs: us(250_000), burst: 8 },
  // Addresses of one interface; made-up ones share an allowance.
  keys: 2_048,
  // With the rests below at most 12,800 frames a second are read, and 1,300 of a flood: a hundredth of a core.
  turn: 64,
  restUs: us(5_000),
  restFloodedUs: us(50_000),
}

export const openFrames = (onFrames: (frames: readonly HeardFrame[]) => void): Frames =>
  new RunningFrames(new addon.Frames(framesPolicy, onFrames))

class RunningFrames implements Frames {
  readonly #handle: NativeFrames

  constructor(handle: NativeFrames) {
    this.#handle = handle
  }

  open(spec: FrameWatchSpec): void {
    native(() => this.#handle.open(spec))
  }

  setFilter(watch: FrameWatchId, filter: Uint8Array): void {
    native(() => this.#handle.setFilter(watch, filter))
  }

  close(watch: FrameWatchId): void {
    this.#handle.close(watch)
  }

  counters(watch: FrameWatchId): FrameWatchCounters {
    return this.#handle.counters(watch)
  }

  stop(): void {
    this.#handle.stop()
  }
}
