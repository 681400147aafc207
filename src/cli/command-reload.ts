/** `vipd reload`: asks the daemon to read its configuration again, and prints what it made of it. */
import { requestReload } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { socketPath } from './paths.ts'

export function commandReload(runDir: string): Promise<number> {
  return asking(async () => {
    const { ok, diagnostics, changes } = await requestReload(socketPath(runDir))
    for (const line of diagnostics) process.stderr.write(`${line}\n`)
    if (!ok) {
      process.stderr.write('vipd: rejected, nothing has changed\n')
      return exit.degraded
    }
    for (const line of changes) process.stdout.write(`${line}\n`)
    if (changes.length === 0) process.stdout.write('nothing to change\n')
    return exit.ok
  })
}
