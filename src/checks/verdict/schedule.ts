/**
 * When a check's turns are. Turns lie on a grid that the first start anchors, so neither a slow script nor
 * a late timer shifts them: the spacing is start to start. A turn that finds the check still running, or
 * that was slept through, is gone; nothing queues. All times are milliseconds on one monotonic clock and
 * may have fractions.
 */

export type Schedule = {
  readonly intervalMs: number
  /** The next turn on the grid. */
  readonly gridAt: number
  /** The same with its jitter: when it is taken. */
  readonly dueAt: number
}

/** The interval that holds now, and how far a turn may lie off the grid. */
export type Pace = { readonly intervalMs: number; readonly jitter: number }

/** Timers may fire this early; the turn counts as reached. */
const earlyMs = 1
/** Checks that start together drift apart by so much at most. */
const spreadMaxMs = 1_000

/**
 * The schedule of a check whose first run starts at `now`. `phase` (0 to 1) sets it apart from those that start with it:
 * the second run comes up to an interval later than the first, but not more than a second.
 */
export function anchored({ intervalMs }: Pace, now: number, phase: number): Schedule {
  const gridAt = now + intervalMs + phase * Math.min(intervalMs, spreadMaxMs)
  return { intervalMs, gridAt, dueAt: gridAt }
}

export const isDue = (schedule: Schedule, now: number): boolean => now >= schedule.dueAt - earlyMs

/**
 * Takes every turn that has come by `now` (at least one; call when due) and moves to the first beyond. `chance` (0 to 1)
 * places that one within its jitter.
 */
export function takeTurns(
  { gridAt }: Schedule,
  { intervalMs, jitter }: Pace,
  now: number,
  chance: number,
): { readonly schedule: Schedule; readonly turns: number } {
  const turns = Math.max(1, Math.floor((now - gridAt) / intervalMs) + 1)
  const next = gridAt + turns * intervalMs
  const dueAt = next + (2 * chance - 1) * jitter * intervalMs
  return { schedule: { intervalMs, gridAt: next, dueAt }, turns }
}

/** A changed interval counts from the turn before, but never schedules into the past. */
export function withInterval(schedule: Schedule, intervalMs: number, now: number): Schedule {
  if (intervalMs === schedule.intervalMs) return schedule
  const last = schedule.gridAt - schedule.intervalMs
  const gridAt = Math.max(now, last + intervalMs)
  return { intervalMs, gridAt, dueAt: gridAt }
}

/** Evenly spread over 0 to 1, however many there are (multiples of the golden ratio). */
export const phaseOf = (id: number): number => (id * 0.618_033_988_749_895) % 1
