/** `global_defs`: the programs that the daemon runs for itself, the FIFOs, and the user of programs. */
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import { anyWords, command, inBlock, text, userAndGroup, word } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import { commandOnLine, readUser } from '../scripts/command-user.ts'

export const programKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'startup_script',
    once: true,
    args: [command],
    missing: 'config',
    doc: 'Run once before any instance starts.',
    set: (draft, _values, node, lowering) => {
      lowering.afterGlobals.push(() => {
        draft.startupScript = processScript(node, lowering)
      })
    },
  },
  {
    name: 'shutdown_script',
    once: true,
    args: [command],
    missing: 'config',
    doc: 'Run once after every instance has stopped.',
    set: (draft, _values, node, lowering) => {
      lowering.afterGlobals.push(() => {
        draft.shutdownScript = processScript(node, lowering)
      })
    },
  },
  {
    name: 'script_user',
    args: [userAndGroup],
    missing: 'config',
    default: 'keepalived_script if there is such a user, else the daemon’s own',
    doc: 'USER [GROUP] that scripts run as unless they say otherwise. `:GROUP` also sets the supplementary groups of the user.',
    // Before the programs that it is for, whose lines may stand above it; after set_supplementary_groups, which may stand below.
    set: (draft, values, node, lowering) => {
      lowering.afterGlobals.unshift(() => setScriptUser(draft, values, node, lowering))
    },
  },
  {
    name: 'notify_fifo',
    once: true,
    args: [word('PATH'), anyWords('[USER [GROUP]]')],
    missing: 'config',
    doc: 'A FIFO that gets one line for every change of state.',
    set: (draft, values, node, lowering) => {
      setFifo(draft, 'notify_fifo', values, node, lowering)
    },
  },
  {
    name: 'notify_fifo_script',
    once: true,
    args: [command],
    missing: 'config',
    doc: 'Started with the path of notify_fifo as its last argument, to read it.',
    set: (draft, _values, node, lowering) => {
      lowering.afterGlobals.push(() => {
        setFifoScript(draft, 'notify_fifo', node, lowering)
      })
    },
  },
  {
    name: 'vrrp_notify_fifo',
    once: true,
    args: [word('PATH'), anyWords('[USER [GROUP]]')],
    missing: 'config',
    doc: 'As notify_fifo; here vipd has nothing else to report, so both get the same lines.',
    set: (draft, values, node, lowering) => {
      setFifo(draft, 'vrrp_notify_fifo', values, node, lowering)
    },
  },
  {
    name: 'vrrp_notify_fifo_script',
    once: true,
    args: [command],
    missing: 'config',
    doc: 'Started with the path of vrrp_notify_fifo as its last argument.',
    set: (draft, _values, node, lowering) => {
      lowering.afterGlobals.push(() => {
        setFifoScript(draft, 'vrrp_notify_fifo', node, lowering)
      })
    },
  },
])

/** A start or stop script with a user that does not exist is an error, unlike a notifier's. */
function processScript(node: Node, lowering: Lowering) {
  if ((node.args[0]?.text ?? '').trim() === '') {
    const message = `${node.keyword.text} needs a command; the line is ignored`
    lowering.error(node.place, 'missing-operand', message)
    return null
  }
  return commandOnLine(node, lowering, true)
}

function setScriptUser(draft: GlobalDraft, _values: Values, node: Node, lowering: Lowering) {
  const [user, group] = node.args
  if (user === undefined) {
    lowering.error(node.place, 'missing-operand', 'script_user needs a user; the line is ignored')
    return
  }
  const named = readUser(user.text, group?.text, lowering)
  if (typeof named === 'string') {
    lowering.error(
      node.place,
      'bad-user',
      `script_user: ${named} does not exist; the line is ignored`,
    )
  } else draft.scriptUser = named
}

type FifoName = 'notify_fifo' | 'vrrp_notify_fifo'

function setFifo(
  draft: GlobalDraft,
  name: FifoName,
  values: Values,
  node: Node,
  lowering: Lowering,
) {
  const [, user, group] = node.args
  const named = user === undefined ? null : readUser(user.text, group?.text, lowering)
  if (typeof named === 'string') {
    const message = `${name}: ${named} does not exist; the FIFO belongs to the daemon's own user`
    lowering.lost(node.place, 'bad-user', message)
  }
  const owner =
    named === null || typeof named === 'string' ? null : { uid: named.uid, gid: named.gid }
  const script = draft.fifos.get(name)?.script ?? null
  draft.fifos.set(name, {
    fifo: { path: text(values), owner, script: null, place: node.place },
    script,
  })
}

function setFifoScript(draft: GlobalDraft, name: FifoName, node: Node, lowering: Lowering) {
  if ((node.args[0]?.text ?? '').trim() === '') {
    const message = `${node.keyword.text} needs a command; the line is ignored`
    lowering.error(node.place, 'missing-operand', message)
    return
  }
  const fifo = draft.fifos.get(name)?.fifo ?? null
  draft.fifos.set(name, { fifo, script: commandOnLine(node, lowering) })
}
