/**
 * Signals to a process whose place another has taken (`vipd upgrade`), in the moments until it ends. They have no answer, so
 * none may be lost: they are the other's.
 */
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import { signalSuccessor } from '../engine/exchange.ts'

/** How often it is looked whether the other one has ended: it is not a child. */
const lookMs = 20

export type PassedOn = {
  /** `name`: of the log. */
  signal(pid: number, name: string, number: number): void
  /**
   * A stop, which is the other's. Resolves when that one has ended: systemd, if it was stopping this process, has not heard
   * of that one, and would kill it at the end of this. It bounds the stop, as it does any.
   */
  stop(pid: number): Promise<void>
  /** Resolves when this process may end as far as stops go. */
  over(): Promise<void>
}

export function passedOn(log: Log): PassedOn {
  let stopped: Promise<void> = Promise.resolve()
  const signal = (pid: number, name: string, number: number): void => {
    if (signalSuccessor(pid, number)) log.info(`${name} passed on to process ${pid}`)
    else log.error(`${name} is for process ${pid}, which has ended`)
  }
  return {
    signal,
    stop(pid) {
      signal(pid, 'SIGTERM', constants.signals.SIGTERM)
      stopped = ended(pid).then(() => log.info(`Process ${pid} has ended`))
      return stopped
    },
    over: () => stopped,
  }
}

async function ended(pid: number): Promise<void> {
  while (signalSuccessor(pid, 0)) await delay(lookMs)
  // The end of its channel has been heard then, and the client of the upgrade is answered.
  await delay(lookMs)
}
