/** BFD sessions in words and as `vipd status` has them; what a reload leaves as it is. */
import { usToMilliseconds } from '../../base/time.ts'
import { detectionUs } from '../../bfd/orders.ts'
import type { BfdInstance } from '../../config/types.ts'
import type { BfdCounters } from '../../engine/bfd-contract.ts'
import type { StatusBfd } from '../../report/status.ts'
import type { SessionRun } from './session-run.ts'

/** keepalived's words, by RFC 5880 section 4.1. */
const diagnostics = [
  'No Diagnostic',
  'Control Detection Time Expired',
  'Echo Function Failed',
  'Neighbor Signaled Session Down',
  'Forwarding Plane Reset',
  'Path Down',
  'Concatenated Path Down',
  'Administratively Down',
  'Reverse Concatenated Path Down',
]

export const diagnosticText = (code: number): string => diagnostics[code] ?? `Diagnostic ${code}`

/** Neither its sockets nor its identity change. */
export const sameSockets = (a: BfdInstance, b: BfdInstance): boolean =>
  a.neighbor === b.neighbor &&
  a.source === b.source &&
  a.ttl === b.ttl &&
  a.maxHops === b.maxHops &&
  a.multihop === b.multihop

/** With the same sockets: nothing that the session does is another. */
export const sameIntervals = (a: BfdInstance, b: BfdInstance): boolean =>
  a.minRxUs === b.minRxUs &&
  a.minTxUs === b.minTxUs &&
  a.idleTxUs === b.idleTxUs &&
  a.multiplier === b.multiplier &&
  a.passive === b.passive

type Described = Omit<StatusBfd, 'failure' | 'sinceMs' | 'transitions' | 'usedBy'>

/** `counters`: null: it has no sockets. */
export function statusOf(run: SessionRun, counters: BfdCounters | null): Described {
  const { cfg, session, rejects } = run
  const { state, diagnostic, peer, txUs } = session
  const detection = detectionUs(session)
  return {
    name: cfg.name,
    neighbor: cfg.neighbor,
    source: cfg.source,
    state,
    remoteState: peer?.state ?? null,
    localDiagnostic: diagnosticText(diagnostic),
    remoteDiagnostic: peer === null ? null : diagnosticText(peer.diagnostic),
    transmitMs: usToMilliseconds(run.everyUs ?? txUs),
    detectionMs: detection === null ? null : usToMilliseconds(detection),
    longestGapMs: counters === null ? 0 : usToMilliseconds(counters.longestGapUs),
    received: counters?.received ?? 0,
    sent: counters?.sent ?? 0,
    badTtl: counters?.badTtl ?? 0,
    sendError: counters?.sendError ?? null,
    rejects,
  }
}
