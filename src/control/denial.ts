/** Why a process may not open a control socket, in words that say which processes may. */
import { readFileSync, statSync } from 'node:fs'
import type { Verb } from './protocol.ts'
import { groupKeyword } from './rights.ts'

export function denial(path: string, verb: Verb): string {
  const keyword = groupKeyword(verb)
  const remedy = keyword === null ? '' : `; ${keyword} in global_defs lets a group ${verb}`
  return `not allowed to ${verb} over ${path}: ${openTo(path)}${remedy}`
}

function openTo(path: string): string {
  try {
    const { uid, gid, mode } = statSync(path)
    const user = `user ${nameOf(uid, '/etc/passwd')}`
    const group = (mode & 0o020) === 0 ? '' : ` and group ${nameOf(gid, '/etc/group')}`
    return `it is open to ${user}${group}`
  } catch {
    return "it belongs to the daemon's user"
  }
}

/** Its number when no line has it. */
function nameOf(id: number, file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n')
  const found = lines.map((line) => line.split(':')).find(([, , number]) => number === String(id))
  return found?.[0] ?? String(id)
}
