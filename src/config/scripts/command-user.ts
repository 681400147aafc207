/**
 * Who runs a command, and what is reported about it: the order of users, and the
 * findings of command.ts with the weight that keepalived's own check of a file gives them.
 */
import type { Command, RunAs } from '../../base/command.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node } from '../language/tree-types.ts'
import type { Place } from '../place.ts'
import type { UserCommand } from '../user-command.ts'
import { resolveCommand } from './command.ts'
import { scriptWords } from './script-words.ts'
import { secured } from './security.ts'

export type CommandText = {
  /** 'vrrp_script chk' or 'notify_master': how messages call it. */
  readonly what: string
  /** The command's own word; null when it is not there. */
  readonly text: string
  readonly user: RunAs | null
  /** A user or group that was written and is not there. */
  readonly badUser: string | null
  readonly place: Place
  /** keepalived's check counts a tracked script that cannot run; a notifier is dropped silently. */
  readonly tracked: boolean
  /** A user that does not exist is an error, not a warning. */
  readonly userCounts: boolean
}

/** The command of a `notify*` or FIFO line: `keyword COMMAND [user [group]]`. */
export function commandOnLine(
  node: Node,
  lowering: Lowering,
  userCounts = false,
): UserCommand | null {
  const [, text, user, group] = commandWords(node, lowering)
  if (text === undefined) return null
  const named = user === undefined ? null : readUser(user, group, lowering)
  const input: CommandText = {
    what: node.keyword.text,
    text,
    user: typeof named === 'string' ? null : named,
    badUser: typeof named === 'string' ? named : null,
    place: node.args[0]?.place ?? node.place,
    tracked: false,
    userCounts,
  }
  return buildCommand(input, lowering)
}

/** Keyword, command and what follows. A quote that stays open leaves the words as far as they can be told. */
export function commandWords(node: Node, lowering: Lowering): readonly string[] {
  const { words, problem } = scriptWords(node.raw)
  if (problem === null) return words
  lowering.error(node.place, 'bad-quotes', `${node.keyword.text}: ${problem}`)
  return node.raw.replaceAll('"', ' ').split(/\s+/)
}

/** user [group] → identity; the text of what does not exist otherwise. A leading ':' of the group is 2.4's. */
export function readUser(
  user: string,
  group: string | undefined,
  lowering: Lowering,
): RunAs | string {
  const facts = lowering.world.user(user)
  if (facts === null) return `user ${user}`
  const always = lowering.globals.inputs.get('supplementaryGroups') === true
  if (group === undefined)
    return { uid: facts.uid, gid: facts.gid, groups: always ? facts.groups : null }
  const named = group.startsWith(':')
  const supplementary = always || named
  const name = named ? group.slice(1) : group
  const gid = name === '' ? facts.gid : lowering.world.group(name)
  if (gid === null) return `group ${name}`
  return { uid: facts.uid, gid, groups: supplementary ? facts.groups : null }
}

/** Decides identity and form, and reports what stands in the way. */
export function buildCommand(input: CommandText, lowering: Lowering): UserCommand {
  const { text: raw, place } = input
  if (input.badUser !== null) return withBadUser(input, lowering)
  const runAs = identity(input, lowering)
  const resolved = resolveCommand(raw, runAs, lowering.world)
  for (const finding of resolved.findings) {
    if (finding.code === 'path-search')
      lowering.note(place, finding.code, `${input.what}: ${finding.message}`)
    else reportBroken(input, finding.code, finding.message, resolved.command, lowering)
  }
  const notThere = resolved.findings.some((finding) => finding.code === 'missing-script')
  if (
    lowering.globals.options.get('scriptSecurity') !== true &&
    !notThere &&
    resolved.command.kind !== 'probe'
  ) {
    if (input.userCounts && !input.tracked) lowering.insecureProcessScript ??= place
    else lowering.runsInsecure(place)
  }
  const { what, tracked } = input
  return secured({ what, tracked }, { raw, command: resolved.command, runAs, place }, lowering)
}

function withBadUser(input: CommandText, lowering: Lowering): UserCommand {
  const why = `${input.badUser} does not exist`
  const hint = input.tracked
    ? ''
    : ' (a command of several words must be quoted: the word after it is the user)'
  const message = `${input.what}: ${why}, so it cannot run${hint}`
  if (input.userCounts) lowering.error(input.place, 'bad-user', message)
  else lowering.lost(input.place, 'bad-user', message)
  return { raw: input.text, command: { kind: 'broken', why }, runAs: null, place: input.place }
}

/** The object's own user, then script_user, then keepalived_script, then the daemon's own. */
function identity(input: CommandText, lowering: Lowering): RunAs | null {
  if (input.user !== null) return input.user
  const { globals } = lowering
  if (globals.scriptUser !== null) return globals.scriptUser
  const facts = lowering.world.user('keepalived_script')
  const always = globals.inputs.get('supplementaryGroups') === true
  if (facts !== null)
    return { uid: facts.uid, gid: facts.gid, groups: always ? facts.groups : null }
  if (globals.options.get('scriptSecurity') === true) {
    const message = `${input.what}: enable_script_security is set, but there is neither script_user nor a user keepalived_script; it runs as the daemon's own user. Add 'script_user root' or another`
    lowering.error(input.place, 'no-script-user', message)
  }
  return null
}

function reportBroken(
  input: CommandText,
  code: string,
  why: string,
  command: Command,
  lowering: Lowering,
) {
  const consequence =
    command.kind !== 'broken' ? '' : input.tracked ? '; it counts as failed' : '; it will not run'
  const message = `${input.what}: ${why}${consequence}`
  const counts = input.tracked && (code === 'missing-script' || why.includes('not a program'))
  if (counts) lowering.error(input.place, code, message)
  else lowering.warning(input.place, code, message)
}
