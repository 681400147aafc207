/** The network namespace of a daemon: entered before it opens anything, and noted for `vipd cleanup`. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileSafely } from '../addon/host-files.ts'
import { enterNetwork, namespacePath } from '../addon/surroundings.ts'
import { OpError } from '../base/errors.ts'

const notePath = (runDir: string): string => join(runDir, 'net_namespace')

/** Throws OpError: ENOENT when there is none of that name, EPERM without CAP_SYS_ADMIN. */
export function enterNamespace(name: string): void {
  const code = enterNetwork(namespacePath(name))
  if (code !== null) throw new OpError('setns', code, `network namespace ${name}`)
}

/** In the run directory of the daemon; null: it has entered none. Throws the system's error. */
export function noteNamespace(runDir: string, name: string | null): void {
  if (name === null) rmSync(notePath(runDir), { force: true })
  else writeFileSafely(notePath(runDir), `${name}\n`, true)
}

/** That of the daemon to which the directory belongs, or did. null: the one that it was started in. */
export function notedNamespace(runDir: string): string | null {
  try {
    const name = readFileSync(notePath(runDir), 'utf8').trim()
    return name === '' ? null : name
  } catch {
    return null
  }
}
