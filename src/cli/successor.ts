/** The process that goes on after an upgrade: whether this one may leave, how that one is started, and how this one ends. */
import type { Log } from '../base/log.ts'
import type { Control } from '../control/server.ts'
import type { Supervisor } from '../daemon/supervisor.ts'
import { successionVariable } from '../daemon/upgrade-second.ts'
import type { Successor, UpgradeOrder } from '../daemon/upgrades.ts'
import type { Program } from '../engine/exchange.ts'
import { exitNow } from '../engine/native.ts'
import type { PassedOn } from './passed-on.ts'
import { heldFor } from './run-directory.ts'
import type { DaemonSurfaces } from './surfaces.ts'

/** Longer than the client that asked for it takes for its answer. */
const leaveMs = 10_000

/** `unwatched`: a supervisor that is told of the other process, or a parent that does not wait. */
export function successorOf(of: {
  readonly log: Log
  readonly supervisor: Supervisor
  readonly surfaces: DaemonSurfaces
  readonly passed: Pick<PassedOn, 'over'>
  readonly runDir: string
  readonly unwatched: boolean
  control(): Control | null
}): { readonly successor: Successor; readonly left: () => void } {
  const { log, supervisor, surfaces, runDir, unwatched } = of
  let leaving = false
  let status = 0
  const end = async () => {
    await of.passed.over()
    await log.flush().finally(() => exitNow(status))
  }
  return {
    left: () => {
      if (leaving) void end()
    },
    successor: {
      whyNotLeave: (leaveParent) => whyNotLeave(leaveParent, unwatched),
      program: (order) => programOf(order, supervisor.environment),
      held: heldFor(runDir),
      async leave(pid) {
        leaving = true
        supervisor.mainProcess(pid)
        of.control()?.leave()
        await surfaces.stop(false)
        await surfaces.close()
        // Whether or not there is a client any more.
        setTimeout(end, leaveMs)
      },
      lost() {
        status = 1
      },
    },
  }
}

/** null: it may leave. */
function whyNotLeave(leaveParent: boolean, unwatched: boolean): string | null {
  if (process.pid === 1)
    return 'it is process 1 of a container, which ends with it: start a container with the new version beside it, or vipd drain and start this one anew'
  if (unwatched || leaveParent) return null
  return `its parent (process ${process.ppid}) would take the end of this process for the end of the daemon: --leave-parent, if it does not`
}

/** With the words of the command that runs here. */
const programOf = (
  { file, args }: UpgradeOrder,
  environment: Readonly<Record<string, string>>,
): Program => ({
  file,
  argv: [file, ...args, ...process.argv.slice(2)],
  env: { ...process.env, ...environment, [successionVariable]: String(process.pid) },
})
