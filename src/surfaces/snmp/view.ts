/** What the tables are read from: a status, the configuration and the host, put together by instance. */
import type { MibHost, MibInstance, MibLink, MibSettings } from '../../report/mib.ts'
import type { Status, StatusInstance } from '../../report/status.ts'

export type Facts = {
  readonly status: Status
  readonly settings: MibSettings
  readonly instances: readonly MibInstance[]
  readonly host: MibHost
}

/** Read when a value is asked for. */
export type MibClock = {
  /** The master agent's, in hundredths of a second. */
  sysUpTime(): number
  /** Milliseconds since the status was made. */
  age(): number
}

export type InstanceRow = {
  /** From 1, in the order of the configuration. */
  readonly number: number
  readonly config: MibInstance
  readonly now: StatusInstance
  /** null: its interface is absent, or it has none. */
  readonly link: MibLink | null
  /** The address that it sends from. */
  readonly source: string | null
}

export type View = {
  readonly facts: Facts
  readonly clock: MibClock
  readonly instances: readonly InstanceRow[]
  /** By name. */
  readonly links: ReadonlyMap<string, MibLink>
}

export function viewOf(facts: Facts, clock: MibClock): View {
  const { status, instances, host } = facts
  const links = new Map(host.links.map((it) => [it.name, it]))
  const states = new Map(status.instances.map((it) => [it.name, it]))
  const rows = instances.flatMap((config, at): readonly InstanceRow[] => {
    const now = states.get(config.name)
    if (now === undefined) return []
    const link = now.interface === null ? null : (links.get(now.interface) ?? null)
    return [{ number: at + 1, config, now, link, source: host.sources[config.name] ?? null }]
  })
  return { facts, clock, instances: rows, links }
}

/** In INIT and FAULT it takes no part: initialize(1) of the RFCs. */
export const takesPart = (state: string): boolean => state === 'BACKUP' || state === 'MASTER'

/** Milliseconds since it last began to take part, as of the status; 0: it does not. */
export function partMs({ now }: InstanceRow): number {
  if (!takesPart(now.state)) return 0
  const entries = now.history
  const began = entries.findLastIndex(({ from, to }) => !takesPart(from) && takesPart(to))
  const [entry, last] = [entries[began], entries.at(-1)]
  if (entry === undefined || last === undefined) return now.sinceMs
  // The times of the history are of the wall clock, which may have been set: never less than the state has lasted.
  return now.sinceMs + Math.max(0, Date.parse(last.at) - Date.parse(entry.at))
}
