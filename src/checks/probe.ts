/** Runs one probe within its time, whatever the other end does, and leaves no connection behind. */
import type { Socket } from 'node:net'
import type { Probe } from '../base/probe.ts'
import { type Asking, type Phase, Refusal } from './probe-connection.ts'
import { dialogue } from './probe-dialogue.ts'
import { askHttp } from './probe-http.ts'
import type { Outcome } from './types.ts'

/** `ended` is called once, at `timeoutMs` at the latest, and not after `cancel`. */
export function runProbe(
  probe: Probe,
  timeoutMs: number,
  ended: (outcome: Outcome) => void,
  passed: (phase: Phase) => void = () => undefined,
): { cancel(): void } {
  const sockets = new Set<Socket>()
  let over = false
  const deadline = setTimeout(
    // The answer may have come behind a late timer: look at the loop's events once more.
    () => setImmediate(() => finish({ kind: 'timeout', afterMs: timeoutMs })),
    timeoutMs,
  )
  const opened = (socket: Socket): void => {
    sockets.add(socket)
    // What is destroyed below may still fail.
    socket.on('error', () => undefined)
    if (over) socket.destroy()
  }
  ask(probe, { timeoutMs, opened, passed }).then(
    (detail) => finish({ kind: 'probe', ok: true, detail }),
    (error: unknown) => {
      if (error instanceof Refusal) finish({ kind: 'probe', ok: false, detail: error.message })
      else finish({ kind: 'unable', why: error instanceof Error ? error.message : String(error) })
    },
  )
  return { cancel: stop }

  function finish(outcome: Outcome): void {
    if (over) return
    stop()
    ended(outcome)
  }

  function stop(): void {
    over = true
    clearTimeout(deadline)
    for (const socket of sockets) socket.destroy()
  }
}

const ask = (probe: Probe, asking: Asking): Promise<string> =>
  probe.kind === 'http' ? askHttp(probe, asking) : dialogue(probe, asking)
