/** What a simulated daemon would log and run as notify scripts, as lines of the trace. */
import type { Log } from '../../src/base/log.ts'
import type { Notifier } from '../../src/notify/notify.ts'

export function logInto(say: (text: string) => void): Log {
  return { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
}

export function notifyInto(say: (text: string) => void): Notifier {
  return {
    instance: ({ name, state }) => say(`notify ${name} ${state}`),
    group: ({ name, state }) => say(`notify group ${name} ${state}`),
    repeat: () => undefined,
    reconfigure: () => undefined,
    stop: () => Promise.resolve(),
  }
}
