/** What the commands that ask a daemon share: failures of the control socket become a line and an exit status. */
import { ControlError } from '../control/client.ts'
import { askAgain } from './ask-again.ts'
import { exit } from './exit.ts'
import { printable } from './format.ts'
import { runDirectories } from './run-directories.ts'

/** Runs `act`, once more where a daemon lives that has no socket yet; a ControlError is printed to standard error and becomes an exit status. */
export async function asking(act: () => Promise<number>): Promise<number> {
  try {
    return await askAgain(act)
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    process.stderr.write(
      `vipd: ${printable(error.message)}${error.failure === 'unreachable' ? others() : ''}\n`,
    )
    if (error.failure === 'unknown-name') return exit.usage
    return error.failure === 'refused' ? exit.degraded : exit.unreachable
  }
}

/** Those that could be meant. */
function others(): string {
  const found = runDirectories()
  return found.length === 0 ? '' : `; there are control sockets in ${found.join(', ')} (--run-dir)`
}
