/**
 * What the daemon is to those who start it and ask it: the command line and the control socket. The
 * daemon itself (`daemon.ts`) pulls in the addon; this page does not, so that `vipd status` stays light.
 */
import type { Log, LogForm } from '../base/log.ts'
import type { Config, Diagnostic, Globals } from '../config/types.ts'
import type { Loaded } from '../loading/load.ts'
import type { Loader } from '../loading/loader.ts'
import type { Dump } from '../report/dump.ts'
import type { Happening, Removal } from '../report/event.ts'
import type { HandOver } from '../report/hand-over.ts'
import type { MibFacts, MibPlace } from '../report/mib.ts'
import type { Observation } from '../report/observation.ts'
import type { Recent, RecentNames } from '../report/recent.ts'
import type { Status, StatusInstance, StatusRest } from '../report/status.ts'
import type { UpgradeResult } from './upgrade-first.ts'
import type { Successor, UpgradeOrder } from './upgrades.ts'

export type DaemonOptions = {
  readonly configPath: string
  /** Exists; holds the control socket and what the next daemon must know about this one. */
  readonly runDir: string
  readonly log: Log
  /** Of the lines on standard error. */
  readonly logForm: LogForm
  /** Reads `configPath` on a thread of its own. */
  readonly loader: Loader
  /** Check worker threads, 1 or more. */
  readonly workers: number
  readonly version: string
  readonly surfaces: Surfaces
  readonly successor: Successor
}

/** What others learn of the daemon while it runs, besides the log. Neither may wait or throw. */
export type Surfaces = {
  /** The number of a transition that is kept over restarts; null: it is none, or is not kept, or not yet. */
  happened(what: Happening, removal?: Removal): number | null
  /** The settings that are in effect from now on. */
  follow(globals: Globals): void
  /** When transitions can be numbered, or the time has passed. */
  settled(timeoutMs: number): Promise<void>
  /** For `status`. */
  readonly warnings: readonly string[]
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

export type Daemon = {
  /**
   * Waits for a file system that hangs no longer than loading/bounds.ts says. Made in slices, between which the event
   * loop turns.
   */
  status(): Promise<Status>
  /** The same in parts. `part`: called with some instances at a time. */
  tellStatus(part: (instances: readonly StatusInstance[]) => void): Promise<StatusRest>
  /** What keepalived's dump files tell. */
  dump(): Promise<Dump>
  /** What SNMP tells besides the status. */
  mib(): MibFacts
  mibPlaceOf(instance: string): MibPlace
  /** Where they go; null: the configuration wants none. */
  readonly dumpDirectory: string | null
  /** One line for the supervisor. */
  summary(): string
  /** `force`: a file with mistakes is taken without what is wrong in it, as at start. */
  reload(force?: boolean): Promise<ReloadResult>
  /** What has been seen, but for the results of the checks. */
  observe(): Observation
  /** Those of one check, packed (checks/verdict/record.ts). Throws when there is none of that name. */
  results(name: string): Uint8Array
  /** Of those that are named and there. */
  recent(names: RecentNames): Recent
  /** Each address of an instance once. Throws when none is called so, or this host does not lead it. */
  announce(name: string): void
  /** Gives one instance, or a sync group, away while it is served. Rejects when there is nothing to give. */
  failover(name: string): Promise<readonly HandOver[]>
  /** Throws when no push check has that name. */
  push(name: string, failure: string | null): void
  /** Runs a check before its turn. Throws when there is none of that name that can be run. */
  checkNow(name: string): void
  /** Gives everything away, until `resume`. */
  drain(): Promise<readonly HandOver[]>
  /** Ends standing by of one instance or group; null: of all, and of the host. The names of those that did. Throws for an unknown name. */
  resume(name: string | null): readonly string[]
  /** Another process takes the place of this one, which is to end then. Rejects with the reason: this one goes on. */
  upgrade(order: UpgradeOrder): Promise<UpgradeResult>
  /** The process that has taken the place of this one in an upgrade: orders are for that one. null: none has. */
  readonly succeededBy: number | null
  /** Resolves when no upgrade is under way: it has been refused, or `succeededBy` is there. */
  upgradeDecided(): Promise<void>
  /** Priority 0, addresses away, notifications run, processes gone. Nothing of it if `succeededBy` is there then. */
  stop(): Promise<void>
}

/** `config`: of `loaded`. Throws ConfigError when it cannot run. */
export type StartDaemon = (
  options: DaemonOptions,
  loaded: Loaded,
  config: Config,
) => Promise<Daemon>

/** The configuration cannot run; nothing was started. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super('the configuration cannot run')
    this.name = 'ConfigError'
    this.diagnostics = diagnostics
  }
}
