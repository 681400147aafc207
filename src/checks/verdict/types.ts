/** What a check is and what it says. Spans in milliseconds here: that is what timers and scripts speak. */
import type { Command, RunAs } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import type { Progress } from './progress.ts'

export type CheckSpec = {
  /** Identity: the vrrp_script's name. */
  readonly name: string
  readonly command: Command
  readonly runAs: RunAs | null
  /** Start to start. */
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly rise: number
  readonly fall: number
  /** While results speak against the verdict; absent: `intervalMs`. */
  readonly fastIntervalMs?: number
  /** While the verdict is bad and nothing speaks against it; absent: `intervalMs`. */
  readonly downIntervalMs?: number
  /** Each turn lies off its grid by up to this share of the interval, 0 to 0.5; absent: 0. */
  readonly jitter?: number
  /** The first run comes so late; absent: at once. */
  readonly initialDelayMs?: number
}

export type Result = {
  readonly name: string
  readonly outcome: Outcome
  /** Last lines that the command wrote, both streams, at most `scriptOutputBytesMax`; '' for probes. */
  readonly output: string
  readonly durationMs: number
}

export type CheckStatus = {
  readonly name: string
  /** null until the first result. */
  readonly good: boolean | null
  readonly last: Result | null
  readonly runs: number
  readonly failures: number
  readonly timeouts: number
  /** Turns passed over because the run before was still alive. */
  readonly overruns: number
  /** Consecutive results of the kind that `good` is not. */
  readonly streak: number
  readonly sinceMs: number | null
}

/** Raised when GOOD/BAD changes (the first result included), and when the exit status or a file's number changes. */
export type CheckEvent =
  | {
      readonly kind: 'verdict'
      readonly name: string
      readonly good: boolean
      readonly result: Result
    }
  /** Of a program or probe: for the log; its verdict is an event of its own. */
  | { readonly kind: 'returned'; readonly name: string; readonly result: Result }
  /** The number in a file, which counts whether or not it changes the verdict. */
  | { readonly kind: 'value'; readonly name: string; readonly result: Result }
  /** A worker died or hung and was replaced; its checks run again. */
  | { readonly kind: 'worker'; readonly message: string }

export type CheckPool = {
  /** Makes the set of running checks equal to `specs`: unchanged ones go on undisturbed with their verdict,
   *  changed ones (command or identity) start anew, others stop and their processes are killed. */
  set(specs: readonly CheckSpec[]): void
  status(name: string): CheckStatus | null
  /** What it answered of late, as `unpackResults` reads it; what is made of other checks keeps none. null: no such check. */
  record(name: string): Float64Array | null
  /** The result of a push check; false when there is no push check of that name, or too many results wait. */
  push(name: string, ok: boolean, message: string): boolean
  /** Runs it before its turn; false when there is no check of that name that can be run. */
  runNow(name: string): boolean
  /** For another process: what each has come to, and what it answered of late. */
  snapshot(): readonly PassedCheck[]
  /** Of another process, for checks of these names that are set later. */
  adopt(checks: readonly PassedCheck[]): void
  /** Kills what runs and resolves when the workers are gone. */
  stop(): Promise<void>
}

export type PassedCheck = {
  readonly name: string
  readonly progress: Progress
}

export type StartCheckPool = (options: {
  readonly workers: number
  readonly onEvent: (event: CheckEvent) => void
}) => CheckPool
