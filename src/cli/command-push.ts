/** `vipd push`: somebody else says how a check is. */
import { requestPush } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { socketPath } from './paths.ts'

export function commandPush(options: {
  readonly name: string
  readonly failure: string | undefined
  readonly runDir: string
}): Promise<number> {
  return asking(async () => {
    await requestPush(socketPath(options.runDir), options.name, options.failure)
    return exit.ok
  })
}
