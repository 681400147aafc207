/** How late the event loop of this thread is: the one that decides, whose delays are the ones that matter. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { LoopDelay } from '../metrics/process-names.ts'

/** A timer of that length is what the delay is measured by; it is taken off. */
const resolutionMs = 20

export class LoopDelayMeter {
  #delay: IntervalHistogram | null = null

  start(): void {
    if (this.#delay !== null) return
    this.#delay = monitorEventLoopDelay({ resolution: resolutionMs })
    this.#delay.enable()
  }

  stop(): void {
    this.#delay?.disable()
    this.#delay = null
  }

  /** Begins anew with each reading. null: nothing was measured. */
  read(): LoopDelay | null {
    const delay = this.#delay
    if (delay === null || delay.count === 0) return null
    const late = (ns: number) => Math.max(0, ns / 1e6 - resolutionMs) / 1_000
    const [median, p99] = [late(delay.percentile(50)), late(delay.percentile(99))]
    const max = late(delay.max)
    delay.reset()
    return { median, p99, max }
  }
}
