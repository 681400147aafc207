/**
 * A run directory in which another user may make, replace or rename files is none: that user's socket could take the
 * place of the daemon's, and its lock or records stand for the daemon's own.
 */
import { accessSync, constants, readFileSync, readlinkSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { OpError } from '../base/errors.ts'
import { unsafePart } from '../config/scripts/trusted-path.ts'
import { ControlError } from '../control/client.ts'
import type { Right } from '../control/rights.ts'
import { groupSocketPath, socketPath } from './paths.ts'

/** The daemon's own, and `cleanup`'s: root's or this user's alone. Throws OpError; a directory that is not there passes. */
export function requirePrivate(directory: string): void {
  const why = sharedBy(directory, [])
  if (why !== null) throw new OpError('run directory', 'EPERM', why)
}

/**
 * The socket of a daemon that may be another user's; what the owner of its directory does there is the daemon's doing.
 * `need`: what will be asked there; that of a group is taken where the process may open that one alone. Throws ControlError.
 */
export function daemonSocket(directory: string, need: Right = 'owner'): string {
  const owner = factsOf(directory)?.uid
  const why = sharedBy(directory, owner === undefined ? [] : [owner])
  if (why !== null) throw new ControlError('denied', `run directory: ${why}`)
  const own = socketPath(directory)
  if (need === 'owner' || mayOpen(own)) return own
  const group = groupSocketPath(directory, need)
  return mayOpen(group) ? group : own
}

function mayOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Why other users could put something in it; null: they could not. */
function sharedBy(directory: string, owners: readonly number[]): string | null {
  const path = resolve(directory)
  const facts = factsOf(path)
  if (facts === null) return null
  const trusted = new Set([0, process.geteuid?.() ?? 0, ...owners])
  const unsafe = unsafePart(path, { stat: factsOf, readlink }, trusted)
  const { mode, gid } = facts
  // A sticky directory keeps names from being replaced, not from being made.
  const open = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0)
  if (unsafe === null && !open) return null
  return `${unsafe ?? `${path} is writable by others`}; another user could take the daemon's place in ${path}`
}

function factsOf(path: string) {
  try {
    const facts = statSync(path)
    const kind = facts.isDirectory() ? ('directory' as const) : ('other' as const)
    return { kind, mode: facts.mode & 0o7777, uid: hostUid(facts.uid), gid: facts.gid }
  } catch {
    return null
  }
}

function readlink(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** In a user namespace the host's root, like every user that is not mapped, has the overflow id; no process here can have it. */
const hostUid = (uid: number): number => (uid === unmapped() ? 0 : uid)

let overflow: number | null | undefined
function unmapped(): number | null {
  overflow ??= unmappedOverflow()
  return overflow
}

function unmappedOverflow(): number | null {
  try {
    const uid = Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'))
    const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
    const mapped = ranges.some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return uid >= first && uid < first + count
    })
    return mapped ? null : uid
  } catch {
    return null
  }
}
