/**
 * What an outcome means and how it reads. The phrases are the ones that monitoring greps for in
 * keepalived's log: `VRRP_Script(X) succeeded`, `failed (exited with status N)`, `timed_out`.
 */
import { unreachable } from '../../base/assert.ts'
import type { Outcome } from '../../programs/outcome.ts'
import type { Result } from './types.ts'

/** Exit status 0, a probe's yes, or the value 0. */
export function succeeded(outcome: Outcome): boolean {
  return exitStatus(outcome) === 0
}

/** What "now returning N" compares: a probe returns what its command would have, a file its number; null where no program ended. */
export function exitStatus(outcome: Outcome): number | null {
  if (outcome.kind === 'exit') return outcome.status
  if (outcome.kind === 'probe') return outcome.ok ? 0 : 1
  if (outcome.kind === 'value') return outcome.value
  return null
}

/** The words after `VRRP_Script(X) `. */
export function describeResult(result: Result): string {
  const { outcome } = result
  switch (outcome.kind) {
    case 'exit':
      return outcome.status === 0 ? 'succeeded' : `failed (exited with status ${outcome.status})`
    case 'signal':
      return `failed (killed by ${outcome.signal})`
    case 'timeout':
      return 'timed_out'
    case 'unable':
      return `failed (cannot run: ${outcome.why})`
    case 'probe':
      return outcome.ok ? 'succeeded' : `failed (${outcome.detail})`
    case 'value':
      return outcome.value === 0 ? 'succeeded' : `failed (the file says ${outcome.value})`
    default:
      return unreachable(outcome)
  }
}
