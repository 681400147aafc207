/**
 * When a check's turns are. Turns lie on a grid that the first start anchors, so neither a slow script nor
 * a late timer shifts them: the spacing is start to start. A turn that finds the check still running, or
 * that was slept through, is gone; nothing queues. All times are milliseconds on one monotonic clock and
 * may have fractions.
 */

export type Schedule = {
  readonly intervalMs: number
  /** The next turn. */
  readonly dueAt: number
}

/** Timers may fire this early; the turn counts as reached. */
const earlyMs = 1

/** The schedule of a check whose first run starts at `now`. */
export const anchored = (intervalMs: number, now: number): Schedule => ({
  intervalMs,
  dueAt: now + intervalMs,
})

export const isDue = (schedule: Schedule, now: number): boolean => now >= schedule.dueAt - earlyMs

/** Takes every turn that has come by `now` (at least one; call when due) and moves to the first beyond. */
export function takeTurns(
  schedule: Schedule,
  now: number,
): { readonly schedule: Schedule; readonly turns: number } {
  const { intervalMs, dueAt } = schedule
  const turns = Math.max(1, Math.floor((now - dueAt) / intervalMs) + 1)
  return { schedule: { intervalMs, dueAt: dueAt + turns * intervalMs }, turns }
}

/** A changed interval counts from the turn before, but never schedules into the past. */
export function withInterval(schedule: Schedule, intervalMs: number, now: number): Schedule {
  if (intervalMs === schedule.intervalMs) return schedule
  const last = schedule.dueAt - schedule.intervalMs
  return { intervalMs, dueAt: Math.max(now, last + intervalMs) }
}
