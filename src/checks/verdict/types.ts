/** What a check is and what it says. Spans in milliseconds here: that is what timers and scripts speak. */
import type { Command, RunAs } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'

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
