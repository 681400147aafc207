/** What runs checks, as the rest of the daemon sees it, and what it tells. */
import type { Progress } from './progress.ts'
import type { CheckSpec, CheckStatus, Result } from './types.ts'

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
