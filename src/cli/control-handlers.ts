/** What the control socket can ask, of the daemon that runs. */
import type { ControlHandlers } from '../control/server.ts'
import type { Daemon, ReloadResult } from '../daemon/types.ts'
import type { DaemonSurfaces } from './surfaces.ts'

export const handlersOf = (of: {
  /** Throws while it starts. */
  daemon(): Daemon
  reload(force: boolean): Promise<ReloadResult>
  left(): void
  stop(): void
  readonly surfaces: DaemonSurfaces
}): ControlHandlers => ({
  status: () => of.daemon().status(),
  reload: of.reload,
  observe: () => of.daemon().observe(),
  results: (name) => of.daemon().results(name),
  push: (name, failure) => of.daemon().push(name, failure),
  failover: (name) => of.daemon().failover(name),
  drain: () => of.daemon().drain(),
  resume: (name) => of.daemon().resume(name),
  upgrade: (order) => of.daemon().upgrade(order),
  left: of.left,
  transitions: (query) => of.surfaces.kept(query),
  claims: (query) => of.surfaces.keptClaims(query),
  events: of.surfaces.events,
  stop: of.stop,
})
