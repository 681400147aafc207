/** `vipd history`: when each instance changed state, and why. Oldest first, as a log reads. */
import { type History, requestHistory } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { age, printable } from './format.ts'
import { daemonSocket } from './trusted-directory.ts'

export type HistoryOptions = {
  readonly runDir: string
  readonly json: boolean
  readonly name: string | undefined
}

export function commandHistory(options: HistoryOptions): Promise<number> {
  return asking(async () => {
    const history = await requestHistory(daemonSocket(options.runDir), options.name)
    process.stdout.write(
      options.json ? `${JSON.stringify(history, null, 2)}\n` : formatHistory(history, Date.now()),
    )
    return exit.ok
  })
}

/** All instances in one sequence: what caused what is seen across instances. `now` is in milliseconds. */
export function formatHistory(history: History, now: number): string {
  const lines = history
    .flatMap(({ name, history: transitions }) => transitions.map((t) => ({ name, ...t })))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map(({ name, at, from, to, why }) => {
      const ago = `${age(now - Date.parse(at))} ago`
      return `${at}  ${ago.padStart(12)}  ${name}  ${from} -> ${to}  ${printable(why)}\n`
    })
  return lines.join('')
}
