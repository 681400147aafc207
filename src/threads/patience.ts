/**
 * A bound for an answer, counted in slices. A process that was stopped, or a loop that stalled, loses one slice and not the
 * whole bound: the other side may have been stopped as well. Behind each slice the loop looks at its events once more,
 * because the answer may lie behind a late timer.
 */
const slices = 4

/** Calls `expired` once after about `ms` milliseconds of running. Returns what ends the waiting. */
export function startPatience(ms: number, expired: () => void): () => void {
  let over = false
  let left = slices
  let timer = arm()
  return () => {
    over = true
    clearTimeout(timer)
  }

  function arm(): NodeJS.Timeout {
    return setTimeout(() => setImmediate(passed), ms / slices)
  }

  function passed(): void {
    if (over) return
    left -= 1
    if (left > 0) {
      timer = arm()
      return
    }
    over = true
    expired()
  }
}
