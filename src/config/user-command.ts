/** Commands of the operator: scripts, checks, notifications. */
import type { Command, RunAs } from '../base/command.ts'
import type { Place } from './place.ts'

/** A command and the identity that the configuration gives it. `raw` is the text as written. */
export type UserCommand = {
  readonly raw: string
  readonly command: Command
  readonly runAs: RunAs | null
  readonly place: Place
}
