/**
 * The run directory belongs to one daemon. Asking the control socket whether a daemon answers is not enough: of
 * two that start in the same instant, neither would find the other. So it is locked until the process ends.
 */
import { join } from 'node:path'
import { OpError } from '../base/errors.ts'
import { inheritLock, inheritName } from '../engine/exchange.ts'
import { holdName, lockForLife } from '../engine/native.ts'
import { livingName } from '../kernel/survey.ts'
import { makeDirectory } from './make-directory.ts'
import { requirePrivate } from './trusted-directory.ts'

const lockFile = (directory: string): string => join(directory, 'vipd.lock')
const running = (directory: string): string => `a vipd is already running with ${directory}`
/** Two names of one number. */
const isTaken = (code: string): boolean => code === 'EAGAIN'

/** What a process holds until it ends that has claimed and announced its run directory. */
export const heldFor = (directory: string): { readonly lock: string; readonly name: string } => ({
  lock: lockFile(directory),
  name: livingName(directory),
})

/** In place of a claim and an announcement, for a process that takes the place of another. Throws OpError. */
export function inheritRunDirectory(directory: string): void {
  const { lock, name } = heldFor(directory)
  if (!inheritLock(lock)) throw new OpError('lock', 'ENOLCK', `${lock} is not what was passed on`)
  if (!inheritName(name)) throw new OpError('bind', 'ENOLCK', `${name} is not what was passed on`)
}

/** Makes it where it is missing. Throws OpError: EPERM when others may write there, EAGAIN when another daemon has it. */
export function claimRunDirectory(directory: string): void {
  makeDirectory(directory)
  requirePrivate(directory)
  const code = lockForLife(lockFile(directory))
  if (code === null) return
  throw new OpError('lock', code, isTaken(code) ? running(directory) : lockFile(directory))
}

/**
 * Lets every process of the network namespace see that a vipd lives here: called in the namespace that it serves. Throws
 * OpError: EADDRINUSE when one has another directory of that name (in another container that shares the network, or in one
 * that was removed under it).
 */
export function announceRunDirectory(directory: string): void {
  const name = livingName(directory)
  const refused = holdName(name)
  if (refused === null) return
  throw new OpError(
    'bind',
    refused,
    refused === 'EADDRINUSE' ? `${running(directory)} in this network namespace` : name,
  )
}

/**
 * Whether a daemon has the directory; if not, none can begin there before this process ends. Throws OpError where that
 * cannot be told. A directory that is not there has no daemon.
 */
export function runDirectoryIsTaken(directory: string): boolean {
  const code = lockForLife(lockFile(directory))
  if (code === null || code === 'ENOENT') return false
  if (isTaken(code)) return true
  throw new OpError('lock', code, lockFile(directory))
}
