/**
 * A check whose start took its worker down is kept away from the workers: for a growing time, and until that worker
 * has gone (a thread in a system call goes when the call returns: its file server is back). Meanwhile each of its turns
 * is a failure.
 */
const holdBackMs = { first: 5_000, most: 60_000 }

export type Held = {
  readonly intervalMs: number
  /** Times that it has taken a worker down since its last result. */
  readonly hangs: number
  /** Resolves when the worker no longer exists. */
  readonly gone: Promise<void>
  readonly failed: () => void
  readonly released: () => void
}

/** Calls `failed` at once and at each turn, and `released` once at the end. Returns what forgets about it. */
export function holdBack({ intervalMs, hangs, gone, failed, released }: Held): () => void {
  let over = false
  const turns = setInterval(failed, intervalMs)
  const delay = Math.min(holdBackMs.most, holdBackMs.first * 2 ** hangs)
  const timer = setTimeout(() => void gone.then(release), delay)
  const forget = () => {
    over = true
    clearInterval(turns)
    clearTimeout(timer)
  }
  failed()
  return forget

  function release(): void {
    if (over) return
    forget()
    released()
  }
}
