/**
 * What the daemon is to those who start it and ask it: the command line and the control socket. The
 * daemon itself (`daemon.ts`) pulls in the addon; this page does not, so that `vipd status` stays light.
 */
import type { Diagnostic } from '../config/types.ts'
import type { Loader } from '../loading/loader.ts'
import type { Observation } from './observation.ts'
import type { Status } from './status-types.ts'

/** Further facts of a log line: `{ instance: 'VI_1', priority: 100 }`. */
export type LogFields = Readonly<Record<string, unknown>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Never blocks and never throws: a reader that stopped costs lines, not elections. */
export type Log = {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Resolves when all is written, or after a short while if the reader does not read. For the exit. */
  flush(): Promise<void>
}

export type DaemonOptions = {
  readonly configPath: string
  /** Exists; holds the control socket and what the next daemon must know about this one. */
  readonly runDir: string
  readonly log: Log
  /** Reads `configPath` on a thread of its own. */
  readonly loader: Loader
  /** Check worker threads, 1 or more. */
  readonly workers: number
  readonly version: string
}

export type ReloadResult = {
  /** False: nothing at all has changed. */
  readonly ok: boolean
  /** `file:line:column: message [code]`, errors first to last. */
  readonly diagnostics: readonly string[]
  /** What was added, altered and removed, one sentence each. */
  readonly changes: readonly string[]
  /** There when `ok` is false. */
  readonly refusal?: ReloadRefusal
}

export type ReloadRefusal = {
  /** In the form of `diagnostics`. */
  readonly reasons: readonly string[]
  /** `force` would take the file all the same. */
  readonly forcible: boolean
}

/** What became of one instance that was asked to hand over. */
export type HandOver = {
  readonly name: string
  /**
   * `kept`: no peer took over in the time that the protocol needs. `pending`: it needs longer than the daemon waits for
   * it; it goes on. `owner`: an address owner, whom nobody is better than. `left`: it leads no more, but for a reason of
   * its own (a fault, a reload).
   */
  readonly outcome: 'handed-over' | 'was-not-master' | 'kept' | 'pending' | 'owner' | 'left'
  readonly tookMs: number
  /** The new master. */
  readonly to: string | null
}

export type Daemon = {
  /** Waits for a file system that hangs no longer than loading/bounds.ts says. */
  status(): Promise<Status>
  /** One line for the supervisor. */
  summary(): string
  /** `force`: a file with mistakes is taken without what is wrong in it, as at start. */
  reload(force?: boolean): Promise<ReloadResult>
  /** Gives one instance, or a sync group, away while it is served. Rejects when there is nothing to give. */
  /** What has been seen, but for the results of the checks. */
  observe(): Observation
  /** Those of one check, packed (checks/record.ts). Throws when there is none of that name. */
  results(name: string): Uint8Array
  failover(name: string): Promise<readonly HandOver[]>
  /** Throws when no check of that name waits to be told. */
  push(name: string, failure: string | null): void
  /** Gives everything away, until `resume`. */
  drain(): Promise<readonly HandOver[]>
  /** Ends standing by; of everybody with null. The names of those that did. Throws for an unknown name. */
  resume(name: string | null): readonly string[]
  /** Priority 0, addresses away, notifications run, processes gone. */
  stop(): Promise<void>
}

/** `startDaemon(options)`: throws ConfigError when the configuration cannot run. */
export type StartDaemon = (options: DaemonOptions) => Promise<Daemon>

/** The configuration cannot run; nothing was started. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super('the configuration cannot run')
    this.name = 'ConfigError'
    this.diagnostics = diagnostics
  }
}
