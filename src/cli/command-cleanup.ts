/** `vipd cleanup`: after a daemon's end, whatever ended it. A living daemon's addresses are not touched. */
import { OpError } from '../base/errors.ts'
import type { LanguageOptions } from '../config/tree-types.ts'
import { ControlError, requestStatus } from '../control/client.ts'
import { removeAddresses } from '../daemon/cleanup.ts'
import { loadConfiguration } from '../loading/load.ts'
import { exit } from './exit.ts'
import { socketPath } from './paths.ts'
import { requirePrivate } from './trusted-directory.ts'

export type CleanupOptions = {
  readonly configPath: string
  readonly language: LanguageOptions
  readonly runDir: string
}

export async function commandCleanup(options: CleanupOptions): Promise<number> {
  const say = (text: string) => process.stderr.write(`vipd: ${text}\n`)
  try {
    requirePrivate(options.runDir)
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    say(`${error.message}: nothing is removed`)
    return exit.degraded
  }
  if (await lives(socketPath(options.runDir))) {
    say('a daemon runs: nothing is removed')
    return exit.degraded
  }
  const { configPath: path, language } = options
  const { config } = loadConfiguration({ path, language, knownInterfaces: [] })
  if (config === null) {
    say('the configuration cannot be read: nothing is removed')
    return exit.degraded
  }
  try {
    for (const address of removeAddresses(config)) process.stdout.write(`removed ${address}\n`)
    return exit.ok
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    say(error.message)
    return exit.degraded
  }
}

/** Whatever answers, or holds the socket without answering, is alive. */
async function lives(path: string): Promise<boolean> {
  try {
    await requestStatus(path)
    return true
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return error.failure !== 'unreachable'
  }
}
