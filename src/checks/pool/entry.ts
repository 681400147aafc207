/** A check as its worker has it: what it is, where it stands, when its next turn is, and what it has running. */
import type { OutputPipe } from '../../programs/output.ts'
import type { Progress } from '../verdict/progress.ts'
import type { ResultRing } from '../verdict/record.ts'
import type { Schedule } from '../verdict/schedule.ts'
import type { CheckSpec } from '../verdict/types.ts'
import type { Report } from './messages.ts'
import type { Prober } from './prober.ts'

export type Entry = {
  readonly id: number
  spec: CheckSpec
  progress: Progress
  readonly ring: ResultRing
  /** null: it runs a program, or its results are pushed. */
  readonly prober: Prober | null
  readonly output: OutputPipe | null
  /** null until the first start. */
  schedule: Schedule | null
  timer: NodeJS.Timeout | null
  /** The turn that its next start is for; null: it starts for another reason. */
  dueAt: number | null
  /** That reason is a hint. */
  hinted: boolean
  run: Run | null
  /** It is in the queue of starts. */
  queued: boolean
  /** A hint came while it ran: its answer may be older than the hint. */
  again: boolean
  removed: boolean
}

export type Run = {
  readonly startedAt: number
  readonly latenessMs: number
  readonly hinted: boolean
  /** Its result has been taken, yet it is still there: killed and not dying. */
  ended: boolean
  kill(): void
}

type Given = Pick<Entry, 'id' | 'spec' | 'progress' | 'ring' | 'prober' | 'output'>

export const newEntry = (given: Given): Entry => ({
  ...given,
  schedule: null,
  timer: null,
  dueAt: null,
  hinted: false,
  run: null,
  queued: false,
  again: false,
  removed: false,
})

export const reportOf = ({ id, progress }: Entry): Report => ({ id, progress })
