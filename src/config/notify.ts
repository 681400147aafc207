/** What is told of transitions, and to which programs and readers: scripts, FIFOs, mail. */
import type { Us } from '../base/time.ts'
import type { Place } from './place.ts'
import type { UserCommand } from './user-command.ts'

/** One keyword of `global_defs` each; declared in keywords/mail.ts. */
export type MailOptions = {
  readonly from: string
  readonly helo: string
  readonly connectTimeoutUs: Us
}

export type Mail = MailOptions & {
  readonly to: readonly string[]
  readonly server: string
  readonly port: number
}

export type Fifo = {
  readonly path: string
  readonly owner: { readonly uid: number; readonly gid: number } | null
  readonly script: UserCommand | null
  readonly place: Place
}

/** One keyword of an instance or a sync group each; declared in keywords/notify.ts. */
export type NotifyOptions = {
  readonly mail: boolean
  readonly priorityChanges: boolean
}

export type Notify = NotifyOptions & {
  readonly master: UserCommand | null
  readonly backup: UserCommand | null
  readonly fault: UserCommand | null
  readonly stop: UserCommand | null
  readonly deleted: UserCommand | null
  /** An instance that a reload removes reports DELETED; else FAULT. */
  readonly saysDeleted: boolean
  readonly masterRxLowerPri: UserCommand | null
  readonly any: UserCommand | null
}
