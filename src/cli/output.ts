/**
 * Standard output that refuses what a command writes. A reader that has left (`| head`, `| true`) is no failure: the exit
 * status stays the command's. A disk that is full is one: the answer is not there, whatever the status would have said.
 */
import { exit } from './exit.ts'

let readerLeft = false

/** The reader of standard output has left: a command that only prints may end. */
export const outputIsGone = (): boolean => readerLeft

/** Before the first write of any command. */
export function watchOutput(): void {
  let failed = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      readerLeft = true
      return
    }
    if (!failed) process.stderr.write(`vipd: standard output: ${error.code ?? error.message}\n`)
    failed = true
  })
  // There is no place left to report it.
  process.stderr.on('error', () => undefined)
  process.on('exit', () => {
    if (failed) process.exitCode = exit.unwritten
  })
}
