/** `vipd push`: somebody else says how a check is. */
import { requestPush } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { daemonSocket } from './trusted-directory.ts'

export function commandPush(options: {
  readonly name: string
  readonly failure: string | undefined
  readonly runDir: string
}): Promise<number> {
  return asking(async () => {
    await requestPush(daemonSocket(options.runDir), options.name, options.failure)
    return exit.ok
  })
}
