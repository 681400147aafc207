/**
 * What may be asked on a control socket. The kernel decides who can open it: the mode and the group of its file. Each verb
 * has its row, so a new one does not compile without.
 */
import type { Verb } from './protocol.ts'

/** Of a socket: `owner` everything, `read` what changes nothing, `push` the results of push checks. */
export type Right = 'owner' | 'read' | 'push'

/** The right that a verb needs besides the owner's; `any`: each will do. */
const needs: Readonly<Record<Verb, Right | 'any'>> = {
  ping: 'any',
  status: 'read',
  history: 'read',
  observe: 'read',
  transitions: 'read',
  claims: 'read',
  events: 'read',
  push: 'push',
  reload: 'owner',
  failover: 'owner',
  drain: 'owner',
  resume: 'owner',
  upgrade: 'owner',
  stop: 'owner',
}

/** Whether it changes nothing, and so may be asked twice. */
export const readsOnly = (verb: Verb): boolean => needs[verb] === 'read' || verb === 'ping'

/** The `code` of an answer to a verb that the socket does not permit. */
export const notPermitted = 'not-permitted'

/** Why `verb` is refused on a socket of that right; null: it is permitted. */
export function refusalOf(verb: Verb, right: Right): string | null {
  const need = needs[verb]
  if (right === 'owner' || need === 'any' || need === right) return null
  const those = right === 'read' ? 'only read (status, history)' : 'only push results of checks'
  return `${verb} is not permitted here: this socket lets a group ${those}; ${whoMay(verb)} may ${verb}`
}

/** That of `global_defs` which opens a socket for the verb; null: it is the daemon's user's alone, or open to each group. */
export function groupKeyword(verb: Verb): 'vipd_control_group' | 'vipd_push_group' | null {
  const need = needs[verb]
  if (need === 'push') return 'vipd_push_group'
  return need === 'read' ? 'vipd_control_group' : null
}

function whoMay(verb: Verb): string {
  const keyword = groupKeyword(verb)
  const user = "the daemon's user (root)"
  return keyword === null ? user : `${user} and the group of ${keyword}`
}
