/** `vrrp_script`: a check and how its results count. */
import type { Command } from '../../base/command.ts'
import { secondsToUs, us } from '../../base/time.ts'
import type { ScriptDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { ScriptEntry, Values } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import {
  anyWords,
  command,
  inBlock,
  integer,
  longest,
  userAndGroup,
  word,
} from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { Node, Word } from '../language/tree-types.ts'
import { commandWords, readUser } from '../scripts/command-user.ts'
import { readProbe } from '../scripts/probe.ts'
import type { Script, ScriptOptions } from '../types.ts'
import { setWeight } from './weight.ts'

const span = kinds.seconds(0.001, longest, 3, { zeroIs: 1 })
const count = kinds.whole('COUNT', 1, 2_147_483_647)

export const scriptKeywords: readonly ScriptEntry[] = inBlock<ScriptDraft>('vrrp_script', [
  {
    name: 'script',
    args: [command],
    missing: 'config',
    doc: 'The command, in quotes. Exit status 0 is success. `killall -0 NAME`, `pidof NAME`, `pgrep -x NAME` and `</dev/tcp/HOST/PORT` are answered in-process; text with shell syntax runs under a shell; anything else is executed directly.',
    note: 'A command that cannot be run counts as failed.',
    set: setScript,
  },
  {
    name: 'probe',
    form: 'options',
    args: [word('KIND'), anyWords('TARGET … [OPTION VALUE] …')],
    missing: 'config',
    doc: 'In place of `script`: a question that is asked in-process. Options stand on the line, or one per line in braces. [docs/probes.md](probes.md) has every kind.',
    note: 'keepalived has none.',
    set: setProbe,
  },
  {
    name: 'combine',
    args: [word('all|any|N'), anyWords('[of] SCRIPT …')],
    missing: 'config',
    doc: 'In place of `script`: good while all, any, or at least N of these checks are, which stand above. It has no interval of its own.',
    note: 'keepalived has none.',
    set: setCombination,
  },
  {
    name: 'weight',
    args: [integer('WEIGHT', -253, 253), anyWords('reverse')],
    default: '0',
    doc: 'What the verdict does to the priority of the instances that track it: above 0 it is added on success, below 0 it is subtracted on failure, 0 makes a failure a fault. `reverse` turns it round.',
    set: setWeight,
  },
  {
    name: 'user',
    args: [userAndGroup],
    default: 'script_user',
    doc: 'USER [GROUP] that the script runs as. `:GROUP` also sets the supplementary groups of the user.',
    set: setUser,
  },
  {
    name: 'init_fail',
    doc: 'Accepted: the first result decides at once, written or not, as in keepalived from 2.0.0 on.',
  },
])

const notInKeepalived = 'keepalived has none.'
const aSecond = secondsToUs(1)

export const scriptOptions: Options<ScriptOptions, Script> = new Options<ScriptOptions, Script>({
  intervalUs: {
    name: 'interval',
    takes: span,
    default: aSecond,
    doc: 'From the start of one run to the start of the next, in steps of a millisecond.',
    inCheck: (interval) => `every ${kinds.spanText(interval)}`,
  },
  fastIntervalUs: {
    name: 'fast_interval',
    takes: span,
    default: null,
    defaultText: 'interval',
    doc: 'The interval while results speak against the verdict, so that it is settled soon.',
    note: notInKeepalived,
    inCheck: (interval) => interval !== null && `fast ${kinds.spanText(interval)}`,
  },
  downIntervalUs: {
    name: 'down_interval',
    takes: span,
    default: null,
    defaultText: 'interval',
    doc: 'The interval while the verdict is bad and nothing speaks against it.',
    note: notInKeepalived,
    inCheck: (interval) => interval !== null && `while down ${kinds.spanText(interval)}`,
  },
  initialDelayUs: {
    name: 'initial_delay',
    takes: kinds.seconds(0, longest, 3),
    default: us(0),
    doc: 'How long after the start of the daemon, or the reload that brought it, the check first runs. Until then it has no verdict.',
    note: notInKeepalived,
    inCheck: (delay) => delay > 0 && `first after ${kinds.spanText(delay)}`,
  },
  jitter: {
    name: 'jitter',
    takes: kinds.percent(0, 50),
    default: 0,
    doc: 'Each run comes up to so much of the interval earlier or later, so that two hosts do not keep step.',
    note: notInKeepalived,
    inCheck: (share) => share > 0 && `jitter ${Math.round(100 * share)} %`,
  },
  timeoutUs: {
    name: 'timeout',
    takes: span,
    defaultFrom: (_, written) => written.get('intervalUs') ?? aSecond,
    defaultText: 'interval',
    doc: 'A run that takes longer has failed and its processes are killed.',
    inCheck: (timeout) => `timeout ${kinds.spanText(timeout)}`,
  },
  rise: {
    name: 'rise',
    takes: count,
    default: 1,
    doc: 'Successes in a row before a failed script counts as good again.',
    inCheck: (times) => `rise ${times}`,
  },
  fall: {
    name: 'fall',
    takes: count,
    default: 1,
    doc: 'Failures in a row before a good script counts as failed.',
    inCheck: (times) => `fall ${times}`,
  },
})

export const scriptOptionLines = optionLines(
  'vrrp_script',
  scriptOptions,
  ({ options }: ScriptDraft) => options,
)

/** One block asks one thing: the first of `script`, `probe` and `combine` counts. */
function isTaken(draft: ScriptDraft, node: Node, lowering: Lowering): boolean {
  if (draft.asks === null && draft.command === '') return false
  const before = draft.command === '' ? 'probe' : 'script'
  const message = `vrrp_script ${draft.name} has a ${before} already; the ${node.keyword.text} is ignored`
  lowering.error(node.place, 'script-and-probe', message)
  return true
}

function setScript(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  // The last script counts, as in keepalived.
  if (draft.asks !== null && isTaken(draft, node, lowering)) return
  const [, line, ...more] = commandWords(node, lowering)
  if (line === undefined) return
  const [operand] = node.args
  draft.raw = node.raw
  draft.command = line
  draft.commandPlace = operand?.place ?? node.place
  if (more.length > 0) {
    const message = `only ${line} is run; '${more.join(' ')}' is ignored. Quote the whole command`
    lowering.lost(draft.commandPlace, 'unquoted-command', message)
  }
}

function setProbe(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  if (isTaken(draft, node, lowering)) return
  draft.raw = node.raw
  draft.commandPlace = node.args[0]?.place ?? node.place
  draft.asks = readProbe(node, lowering) ?? 'bad'
}

function setCombination(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  if (isTaken(draft, node, lowering)) return
  draft.raw = node.raw
  draft.commandPlace = node.args[0]?.place ?? node.place
  draft.asks = readCombination(node, lowering) ?? 'bad'
}

/** null after a mistake, which has been reported. */
function readCombination(node: Node, lowering: Lowering): Command | null {
  const [much, ...rest] = node.args
  if (much === undefined) return null
  const names = rest[0]?.text === 'of' ? rest.slice(1) : rest
  const wrong = (at: Word, why: string) => {
    lowering.error(at, 'bad-combination', `${why}; the check cannot run`)
    return null
  }
  const unknown = names.find(({ text }) => !lowering.scripts.has(text))
  if (unknown !== undefined)
    return wrong(unknown, `no vrrp_script ${unknown.text} is defined above`)
  if (names.length === 0) return wrong(much, 'combine needs the names of checks')
  const of = [...new Set(names.map(({ text }) => text))]
  const least = leastOf(much.text, of.length)
  if (least === null)
    return wrong(much, `${much.text} is neither all, any nor a number from 1 to ${of.length}`)
  return { kind: 'combination', least, of }
}

function leastOf(much: string, count: number): number | null {
  if (much === 'all') return count
  if (much === 'any') return 1
  const least = Number(much)
  return /^\d+$/.test(much) && least >= 1 && least <= count ? least : null
}

function setUser(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  const [user, group] = node.args
  if (user === undefined) {
    lowering.missingOperand(node.place, 'user needs a user; the line is ignored')
    return
  }
  const named = readUser(user.text, group?.text, lowering)
  if (typeof named === 'string') draft.badUser = named
  else draft.user = named
}
