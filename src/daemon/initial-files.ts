/** Tracked files get their first number before anything looks at them: at the start of the daemon, not on reload. */

import type { Log } from '../base/log.ts'
import { Files } from '../checks/local/files.ts'
import type { Script } from '../config/types.ts'

/** Longer than a healthy file system takes; one that hangs must not keep the daemon from starting. */
const patienceMs = 1_000

/** Calls `then` when every file has been written, or could not be; at once where there is none. */
export function initialiseFiles(scripts: readonly Script[], log: Log, then: () => void): void {
  const wanted = scripts.flatMap(({ run: { command }, initialValue }) =>
    command.kind === 'value' && initialValue !== null
      ? [{ kind: 'write' as const, path: command.path, ...initialValue }]
      : [],
  )
  if (wanted.length === 0) return then()
  const files = new Files(() => undefined)
  let left = wanted.length
  const done = () => {
    left -= 1
    if (left > 0) return
    files.close()
    then()
  }
  for (const question of wanted) {
    let deadline: NodeJS.Timeout | undefined
    const giveUp = files.ask(question, ({ ok, detail }) => {
      clearTimeout(deadline)
      if (!ok && detail !== 'there already') log.warn(`init_file ${question.path}: ${detail}`)
      done()
    })
    deadline = setTimeout(() => {
      giveUp()
      log.warn(`init_file ${question.path}: its file system does not answer`)
      done()
    }, patienceMs)
  }
}
