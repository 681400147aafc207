/**
 * Causes, faults and states in the operator's words: the WHY of status, history and log lines. One line
 * each, no instance name, lower case where it continues a sentence.
 */
import { unreachable } from '../base/assert.ts'
import { type Us, usToMilliseconds } from '../base/time.ts'
import type { Cause, Fault } from './types.ts'

/** Why the instance is in the state that it is in: 'master 10.0.0.2 timed out', 'chk_pg failing (exit 1)'. */
export function describeCause(cause: Cause): string {
  switch (cause.kind) {
    case 'start':
      return 'started'
    case 'owner':
      return 'address owner (priority 255)'
    case 'timeout':
      return cause.master === null ? 'no master heard' : `master ${cause.master.address} timed out`
    case 'priority-zero':
      return `master ${cause.from} resigned (priority 0)`
    case 'preempt':
      return `our priority ${cause.ours} is above ${cause.priority} of ${cause.from}`
    case 'higher-priority':
      return `higher priority ${cause.priority} from ${cause.from}, ours ${cause.ours}`
    case 'higher-address':
      return `same priority ${cause.priority} from ${cause.from}, a higher address than our ${cause.ours}`
    case 'faults':
      return describeFaults(cause.faults)
    case 'recovered':
      return 'all faults are gone'
    case 'late':
      return `woke up ${milliseconds(cause.lateUs)} late, listening first`
    case 'lapsed':
      return 'the main thread stopped answering, listening first'
    case 'demoted':
      return `our priority sank to ${cause.ours}, below ${cause.peer.priority} of ${cause.peer.address}: resigned`
    case 'contested':
      return `another program removes ${cause.address} again and again: resigned`
    case 'group':
      return `sync group ${cause.group} goes to ${cause.want.toUpperCase()}`
    case 'stop':
      return 'stopped'
    default:
      return unreachable(cause)
  }
}

const describeFaults = (faults: readonly Fault[]): string => faults.map(describeFault).join('; ')

/** One fault: 'link eth2 down', 'chk_pg failing (exit 1)'. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'link':
      return `link ${fault.interface} ${fault.why}`
    case 'source':
      return `no source address on ${fault.interface ?? 'any interface'} (wanted: ${fault.wanted})`
    case 'check':
      return fault.detail === ''
        ? `${fault.name} failing`
        : `${fault.name} failing (${fault.detail})`
    case 'check-pending':
      return `waiting for the first result of ${fault.name}`
    case 'sync-group':
      return fault.pending
        ? `sync group ${fault.group} waits for ${fault.member}`
        : `${fault.member} of sync group ${fault.group} is in fault`
    case 'no-peer':
      return 'no unicast peer is configured'
    case 'transport':
      return `${fault.op} failed: ${fault.code}`
    case 'addresses':
      return `the kernel refuses every address (${fault.why})`
    case 'claimed':
      return `${fault.address} is another machine's (${fault.by} on ${fault.interface} answers for it)`
    case 'mute':
      return `none of its adverts left this host (${fault.why})`
    default:
      return unreachable(fault)
  }
}

const milliseconds = (span: Us): string => `${Math.round(usToMilliseconds(span))} ms`
