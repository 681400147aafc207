/** Which frames are listened for, without a socket. */
import type {
  Frames,
  FrameWatchCounters,
  FrameWatchId,
  FrameWatchSpec,
} from '../../../src/engine/frames-contract.ts'

export class BookFrames implements Frames {
  readonly watches = new Map<FrameWatchId, FrameWatchSpec>()
  opened = 0
  filters = 0

  open(spec: FrameWatchSpec): void {
    this.opened += 1
    this.watches.set(spec.watch, spec)
  }

  setFilter(watch: FrameWatchId, filter: Uint8Array): void {
    const before = this.watches.get(watch)
    if (before === undefined) throw new Error(`no watch ${watch}`)
    this.filters += 1
    this.watches.set(watch, { ...before, filter })
  }

  close(watch: FrameWatchId): void {
    if (!this.watches.delete(watch)) throw new Error(`no watch ${watch}`)
  }

  counters(): FrameWatchCounters {
    return { heard: 0, told: 0 }
  }

  stop(): void {
    this.watches.clear()
  }

  /** The one on that interface for that type of frame. */
  on(
    ifindex: number,
    protocol: number,
    direction: FrameWatchSpec['direction'] = 'received',
  ): FrameWatchSpec | undefined {
    return [...this.watches.values()].find(
      (it) => it.ifindex === ifindex && it.protocol === protocol && it.direction === direction,
    )
  }
}
