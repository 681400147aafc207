/** The end of the daemon as it is ordered, by a signal or a client: once, whatever is ordered again. */
import type { Log } from '../base/log.ts'
import type { Control } from '../control/server.ts'
import type { Supervisor } from '../daemon/supervisor.ts'
import { exitNow } from '../engine/native.ts'
import type { PassedOn } from './passed-on.ts'
import type { Running } from './running.ts'
import type { DaemonSurfaces } from './surfaces.ts'

/** Begins it, and returns. */
export function stopOf(of: {
  readonly log: Log
  readonly supervisor: Supervisor
  readonly running: Running
  readonly surfaces: DaemonSurfaces
  readonly passed: PassedOn
  control(): Control | null
  /** Nothing runs any more. */
  stopped(): void
}): () => void {
  let begun = false
  return () => {
    if (begun) return
    begun = true
    void stop()
  }

  async function stop(): Promise<void> {
    of.supervisor.stopping()
    await of.running.stop()
    const succeededBy = of.running.daemon?.succeededBy ?? null
    if (succeededBy === null) await close()
    else await of.passed.stop(succeededBy)
    of.stopped()
    await of.log.flush()
    exitNow(0)
  }

  async function close(): Promise<void> {
    // They are told of its last transitions.
    await of.surfaces.stop()
    await of.surfaces.close()
    await of.control()?.close()
  }
}
