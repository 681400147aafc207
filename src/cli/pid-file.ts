/** Pid files as keepalived keeps them: a number and a newline, mode 0644. Others read them to send signals. */
import { readFileSync, unlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { writeFileSafely } from '../addon/host-files.ts'
import { OpError } from '../base/errors.ts'
import type { IdentityOptions } from '../config/types.ts'
import { makeDirectory } from './make-directory.ts'

type GivenPidFiles = { readonly pidFile: string | null; readonly vrrpPidFile: string | null }

/** As the command line says, from the directory that it was typed in. */
export const givenPidFiles = ({ pidFile, vrrpPidFile }: GivenPidFiles): GivenPidFiles => ({
  pidFile: pidFile === null ? null : resolve(pidFile),
  vrrpPidFile: vrrpPidFile === null ? null : resolve(vrrpPidFile),
})

export type PidFiles = { readonly main: string; readonly vrrp: string }

/** Where keepalived has them: as the command line says, else by its network namespace and the name of the instance. */
export function pidFiles(
  given: GivenPidFiles,
  { netNamespace, instanceName, pidDirectory }: IdentityOptions,
): PidFiles {
  const inNamespace = netNamespace === null ? '' : `/${netNamespace}`
  const folder = pidDirectory || netNamespace !== null ? `/run/keepalived${inNamespace}` : '/run'
  const name = instanceName === null ? '' : `_${instanceName}`
  return {
    main: given.pidFile ?? `${folder}/keepalived${name}.pid`,
    vrrp: given.vrrpPidFile ?? `${folder}/vrrp${name}.pid`,
  }
}

/** Throws OpError. Follows no other user's symbolic link. */
export function writePidFile(path: string): void {
  try {
    makeDirectory(dirname(path))
    writeFileSafely(path, `${process.pid}\n`, true)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
    throw new OpError('open', code, `the pid file ${path}`)
  }
}

/** One that names another process by now is left alone. */
export function removePidFile(path: string): void {
  try {
    if (pidIn(path) === process.pid) unlinkSync(path)
  } catch {
    // It is gone already, or its directory is read-only by now.
  }
}

/** The number of a daemon that lives, as a pid file names it: a keepalived, or a vipd in its place. null: there is none. */
export function livingDaemon(path: string): number | null {
  try {
    const pid = pidIn(path)
    if (!(pid > 0) || pid === process.pid) return null
    // After a crash the number may be another program's.
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return /keepalived|vipd/.test(line) ? pid : null
  } catch {
    return null
  }
}

const pidIn = (path: string): number => Number(readFileSync(path, 'utf8').trim())
