/** `vrrp_script`: a check and how its results count. */
import { commandWords, readUser } from './command-user.ts'
import {
  anyWords,
  command,
  decimal,
  inBlock,
  integer,
  longest,
  number,
  seconds,
  userAndGroup,
  word,
} from './keywords-make.ts'
import type { ScriptEntry, Values } from './keywords-types.ts'
import type { ScriptDraft } from './lower-draft.ts'
import type { Lowering } from './lower-report.ts'
import { readProbe } from './probe.ts'
import type { Node } from './tree-types.ts'

const span = decimal('SECONDS', 0.001, longest, 3, { zeroIs: 1 })
const count = integer('COUNT', 1, 2_147_483_647)

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
    args: [word('KIND'), word('TARGET'), anyWords('OPTION VALUE …')],
    doc: 'In place of `script`: a question that is asked in-process. `tcp HOST:PORT`, `unix PATH` and `tls HOST[:PORT]` connect and then do what `send TEXT`, `send_hex HEX`, `expect TEXT`, `expect_hex HEX` and `expect_regex REGEX` say, in that order. `http URL` and `https URL` take `method`, `host`, `status 200-299,401` (200-399 unless written), `header "NAME: REGEX"` and `body REGEX`; redirects are not followed. `smtp HOST[:PORT]` wants the greeting, `redis HOST[:PORT]` the answer to PING. tls and https verify the certificate and take `sni NAME`, `ca FILE` and `days N`, for how long it must still be valid. TEXT knows `\\r`, `\\n`, `\\t` and `\\xNN`.',
    note: 'keepalived has none.',
    set: setProbe,
  },
  {
    name: 'interval',
    args: [span],
    unit: 's',
    default: '1',
    doc: 'From the start of one run to the start of the next, in steps of a millisecond.',
    set: (draft, values) => {
      draft.intervalUs = seconds(values)
    },
  },
  {
    name: 'timeout',
    args: [span],
    unit: 's',
    default: 'interval',
    doc: 'A run that takes longer has failed and its processes are killed.',
    set: (draft, values) => {
      draft.timeoutUs = seconds(values)
    },
  },
  {
    name: 'weight',
    args: [integer('WEIGHT', -253, 253), anyWords('reverse')],
    default: '0',
    doc: 'What the verdict does to the priority of the instances that track it: above 0 it is added on success, below 0 it is subtracted on failure, 0 makes a failure a fault. `reverse` turns it round.',
    set: setWeight,
  },
  {
    name: 'rise',
    args: [count],
    default: '1',
    doc: 'Successes in a row before a failed script counts as good again.',
    set: (draft, values) => {
      draft.rise = number(values)
    },
  },
  {
    name: 'fall',
    args: [count],
    default: '1',
    doc: 'Failures in a row before a good script counts as failed.',
    set: (draft, values) => {
      draft.fall = number(values)
    },
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
    doc: 'Start as failed. Accepted; the first result decides at once, as in keepalived.',
    set: (draft) => {
      draft.initFail = true
    },
  },
])

function setScript(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  if (draft.probe !== null) {
    const message = `vrrp_script ${draft.name} has a probe already; the script is ignored`
    lowering.error(node.place, 'script-and-probe', message)
    return
  }
  const [, line, ...more] = commandWords(node, lowering)
  if (line === undefined) return
  const [operand] = node.args
  draft.raw = node.raw
  draft.command = line
  draft.commandPlace = operand?.place ?? node.place
  if (more.length > 0) {
    const message = `only ${line} is run; '${more.join(' ')}' is ignored. Quote the whole command`
    lowering.warning(draft.commandPlace, 'unquoted-command', message)
  }
}

function setProbe(draft: ScriptDraft, _values: Values, node: Node, lowering: Lowering) {
  if (draft.command !== '') {
    const message = `vrrp_script ${draft.name} has a script already; the probe is ignored`
    lowering.error(node.place, 'script-and-probe', message)
    return
  }
  draft.raw = node.raw
  draft.commandPlace = node.args[0]?.place ?? node.place
  draft.probe = readProbe(node.args, lowering) ?? 'bad'
}

function setWeight(draft: ScriptDraft, values: Values, node: Node, lowering: Lowering) {
  const option = node.args[1]
  if (option !== undefined && option.text !== 'reverse') {
    lowering.error(
      option,
      'unknown-word',
      `weight takes 'reverse', not ${option.text}; it is ignored`,
    )
  }
  draft.weight = number(values)
  draft.reverse = option?.text === 'reverse'
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
