/** What the notifier and its worker thread say to each other. Every job has an id of the asking side. */
import type { RunAs } from '../base/command.ts'
import type { Mail } from '../config/notify.ts'
import type { Outcome } from '../programs/outcome.ts'
import type { Program } from '../programs/run.ts'
import type { Message } from './mail.ts'

export type Job =
  | {
      readonly kind: 'run'
      readonly program: Program
      readonly runAs: RunAs | null
      /** Killed then, with its process group; null: never. */
      readonly timeoutMs: number | null
    }
  | { readonly kind: 'mail'; readonly mail: Mail; readonly message: Message }

export type ToNotifyWorker = { readonly id: number; readonly job: Job }

export type JobResult =
  | { readonly kind: 'run'; readonly outcome: Outcome; readonly output: string }
  /** null: accepted by the server. */
  | { readonly kind: 'mail'; readonly failure: string | null }
  /** The worker was lost while it had the job; the program may still run. */
  | { readonly kind: 'lost' }

export type FromNotifyWorker =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number | null }
  | { readonly kind: 'ended'; readonly id: number; readonly result: JobResult }
