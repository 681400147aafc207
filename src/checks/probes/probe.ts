/** Runs one probe within its time, whatever the other end does, and leaves no connection behind. */
import { unreachable } from '../../base/assert.ts'
import type { Probe } from '../../base/probe.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { Refusal } from '../verdict/probe-failure.ts'
import type { Asking, Phase } from './connection.ts'
import { dialogue } from './dialogue.ts'
import { askDns } from './dns.ts'
import { askHaproxy } from './haproxy.ts'
import { askHttp } from './http.ts'
import { askEcho } from './icmp.ts'
import { askMysql } from './mysql.ts'
import { askPostgres } from './postgres.ts'
import { accepts } from './tcp-dial.ts'
import { askUdp } from './udp.ts'

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
    for (const close of closers) close()
  }
}

function ask(probe: Probe, asking: Asking): Promise<string> {
  switch (probe.kind) {
    case 'dialogue': {
      const { to, tls, turns } = probe
      const mereConnection = to.kind === 'tcp' && tls === null && turns.length === 0
      return mereConnection ? accepts(to, asking) : dialogue(probe, asking)
    }
    case 'http':
      return askHttp(probe, asking)
    case 'udp':
      return askUdp(probe, asking)
    case 'dns':
      return askDns(probe, asking)
    case 'icmp':
      return askEcho(probe, asking)
    case 'postgres':
      return askPostgres(probe, asking)
    case 'mysql':
      return askMysql(probe, asking)
    case 'haproxy':
      return askHaproxy(probe, asking)
    default:
      return unreachable(probe)
  }
}
