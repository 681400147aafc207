/**
 * While another process takes the daemon's place (`vipd upgrade`), there is a moment without a control socket. A command that
 * is given then waits for it instead of saying that no daemon runs: a monitor would raise an alarm.
 */
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ControlError } from '../control/client.ts'
import { isLived } from '../kernel/survey.ts'

/** With thousands of instances the new process takes that long to listen; a daemon that starts is asked as patiently. */
const patienceMs = 5_000
const againMs = 30

/** `lives`: whether a daemon has that run directory. Only what found no socket is asked again, or what reads and got no answer: nothing has been ordered yet. */
export async function askAgain<T>(
  act: () => Promise<T>,
  lives: (runDir: string) => boolean = isLived,
): Promise<T> {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      return await act()
    } catch (error) {
      const socket = error instanceof ControlError ? error.absent : null
      if (socket === null || performance.now() > end || !lives(dirname(socket))) throw error
      await delay(againMs)
    }
  }
}
