/**
 * Runs one probe within its time, whatever the other end does, and leaves no connection behind. The table says which
 * function carries out which kind: it resolves with the words of success and rejects with a ProbeFailure.
 */
import type { Probe } from '../../base/probe.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import type { Phase, ProbeContext } from './connection.ts'
import { dialogue } from './dialogue.ts'
import { probeDns } from './dns.ts'
import { probeHaproxy } from './haproxy.ts'
import { probeHttp } from './http.ts'
import { probeEcho } from './icmp.ts'
import { probeMysql } from './mysql.ts'
import { probePostgres } from './postgres.ts'
import { accepts } from './tcp-dial.ts'
import { probeUdp } from './udp.ts'

type Run<P> = (probe: P, context: ProbeContext) => Promise<string>
type Runs = { readonly [K in Probe['kind']]: Run<Extract<Probe, { readonly kind: K }>> }

/** One entry for each kind of probe; the compiler asks for it. What takes a few lines stands here. */
const runs: Runs = {
  dialogue: (probe, context) => {
    const { to, tls, turns } = probe
    const mereConnection = to.kind === 'tcp' && tls === null && turns.length === 0
    return mereConnection ? accepts(to, context) : dialogue(probe, context)
  },
  http: probeHttp,
  udp: probeUdp,
  dns: probeDns,
  icmp: probeEcho,
  postgres: probePostgres,
  mysql: probeMysql,
  haproxy: probeHaproxy,
}

/** `ended` is called once, at `timeoutMs` at the latest, and not after `cancel`. */
export function runProbe(
  probe: Probe,
  timeoutMs: number,
  ended: (outcome: Outcome) => void,
  passed: (phase: Phase) => void = () => undefined,
): { cancel(): void } {
  const closers: (() => void)[] = []
  let over = false
  const deadline = setTimeout(
    // The answer may have come behind a late timer: look at the loop's events once more.
    () => setImmediate(() => finish({ kind: 'timeout', afterMs: timeoutMs })),
    timeoutMs,
  )
  const opened = (close: () => void): void => {
    closers.push(close)
    if (over) close()
  }
  const run = runs[probe.kind] as Run<Probe>
  run(probe, { timeoutMs, opened, passed }).then(
    (detail) => finish({ kind: 'probe', ok: true, detail }),
    (error: unknown) => {
      if (error instanceof ProbeFailure) finish({ kind: 'probe', ok: false, detail: error.message })
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
    for (const close of closers) close()
  }
}
