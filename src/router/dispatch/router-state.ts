/**
 * What one process passes to the next: all that the router knows and cannot find out anew, as a plain value that JSON
 * carries. Instants are CLOCK_MONOTONIC in microseconds, which is one for both; octets are hexadecimal.
 */
import type { Us } from '../../base/time.ts'
import type { CheckStatus } from '../../checks/verdict/types.ts'
import type { StatusUnknownVrid } from '../../report/status.ts'
import type { BfdSessions } from '../bfd/sessions.ts'
import type { Roster } from './roster.ts'
import type { StaticEntries } from './static-entries.ts'

/** Another number for each change of the shape or the meaning: what is not understood is refused, older or newer. */
export const stateVersion = 10

export type RouterState = ReturnType<Roster['snapshot']> & {
  readonly version: typeof stateVersion
  /** When it was made. */
  readonly at: Us
  readonly eventsRaised: number
  readonly interfacesAtStart: readonly string[]
  /** Scripts that hold their instances until they report. */
  readonly holding: readonly string[]
  readonly verdicts: readonly CheckStatus[]
  readonly unknownVrids: readonly StatusUnknownVrid[]
  readonly bfd: ReturnType<BfdSessions['snapshot']>
  readonly statics: ReturnType<StaticEntries['snapshot']>
}

/** A moment later there is a state. */
export type NotNow = { readonly ok: false; readonly why: string }

export const isRouterState = (state: unknown): state is RouterState =>
  versionOf(state) === stateVersion

export function whyUnknown(state: unknown): string {
  const version = versionOf(state)
  const found = typeof version === 'number' ? `version ${version}` : 'no known version'
  return `the state that was passed has ${found}: this program reads version ${stateVersion}`
}

const versionOf = (state: unknown): unknown =>
  typeof state === 'object' && state !== null && 'version' in state ? state.version : null
