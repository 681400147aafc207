/**
 * Carries out a plan, in slices: a reload of thousands of instances must not hold the main thread for longer than any
 * event may wait. Each unit is applied whole; between slices the batch is ended (groups agree, orders go out), the lease
 * is renewed and the event loop turns. What only releases comes first, and its sockets are closed before others open.
 */
import type { Config, Script } from '../../config/types.ts'
import type { ReloadPlan } from './plan.ts'
import type { Unit } from './units.ts'

/** Who takes part, and how that changes. */
export type Changeable = {
  beginChange(next: Config): void
  change(unit: Unit): void
  endChange(next: Config): void
  /** The last orders of those that left have been carried out. */
  forgetLeft(): void
  /** So have all others. */
  settleSources(next: Config): void
}

/** What surrounds the instances. */
export type ApplyPorts = {
  readonly roster: Changeable
  /** The settings that are no instance's: notifications, packet rules. */
  settings(next: Config): void
  checks(scripts: readonly Script[]): void
  /** The end of a batch of events. */
  settle(): void
  /** Milliseconds, monotonic. */
  nowMs(): number
  /** No instance may be changed any more. */
  stopping(): boolean
}

/** A slice ends after the unit with which it has taken so long. */
const sliceMs = 10

/**
 * What a plan waits for between two slices: the event loop's turn, all that was ordered to be carried out, or the kernel's
 * answers about static entries.
 */
export type Pause = 'turn' | 'flush' | 'statics'

/**
 * Yields at the end of every slice. Ends early, with what is not changed left as it was, when the daemon stops; true when
 * the whole plan has been applied.
 */
export function* applyPlan(plan: ReloadPlan, ports: ApplyPorts): Generator<Pause, boolean> {
  const { next, units } = plan
  const { roster } = ports
  ports.settings(next)
  ports.checks(plan.checksMeanwhile)
  roster.beginChange(next)
  let beganMs = ports.nowMs()
  let releasing = false
  for (const unit of units) {
    const onlyReleases = unit.keep.length + unit.acquire.length === 0
    const freed = releasing && !onlyReleases
    releasing = onlyReleases
    if (freed || ports.nowMs() - beganMs >= sliceMs) {
      ports.settle()
      yield freed ? 'flush' : 'turn'
      if (ports.stopping()) return false
      if (freed) roster.forgetLeft()
      beganMs = ports.nowMs()
    }
    roster.change(unit)
  }
  roster.endChange(next)
  ports.checks(next.scripts)
  ports.settle()
  yield 'flush'
  if (ports.stopping()) return false
  roster.forgetLeft()
  roster.settleSources(next)
  ports.settle()
  return true
}

/** Goes through the slices of a plan, between which the event loop turns. False when the daemon stopped before the end. */
export async function inSlices(
  slices: Generator<Pause, boolean>,
  ports: {
    /** Proves to the engine that this thread still turns. */
    renew(): void
    /** The event loop has turned. */
    turn(): Promise<void>
    /** All that was ordered has been carried out. */
    flush(): Promise<void>
    /** The kernel has answered about the static entries. */
    statics(): Promise<void>
  },
): Promise<boolean> {
  for (;;) {
    const slice = slices.next()
    if (slice.done === true) return slice.value
    ports.renew()
    if (slice.value === 'flush') await ports.flush()
    else if (slice.value === 'statics') await ports.statics()
    else await ports.turn()
  }
}

/** Goes through the steps of planning, so many at a time as a slice has room for. */
export async function planInSlices<T>(
  steps: Generator<void, T>,
  ports: { nowMs(): number; turn(): Promise<void> },
): Promise<T> {
  let beganMs = ports.nowMs()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (ports.nowMs() - beganMs < sliceMs) continue
    await ports.turn()
    beganMs = ports.nowMs()
  }
}
