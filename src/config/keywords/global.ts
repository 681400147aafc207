/** `global_defs`: identity, mail, scripts and the process. The protocol's part is in keywords-protocol.ts. */

import { defaultRttimeUs, type GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import {
  anyWords,
  choice,
  command,
  decimal,
  flag,
  given,
  inBlock,
  integer,
  longest,
  number,
  onOff,
  optionalWord,
  reaction,
  seconds,
  text,
  unsigned,
  userAndGroup,
  word,
} from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import { commandOnLine, readUser } from '../scripts/command-user.ts'

const scriptSeconds = integer('SECONDS', 1, 1000)

export const globalKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'router_id',
    args: [word('NAME')],
    missing: 'config',
    default: 'the host name',
    doc: 'The name of this router in mails.',
    set: (draft, values) => {
      draft.routerId = text(values)
    },
  },
  {
    name: 'notification_email',
    form: 'entries',
    entry: 'ADDRESS',
    default: 'none: no mail',
    doc: 'The recipients of mail. Without smtp_server no mail is sent.',
    set: (_draft, _values, node, lowering) => {
      if (node.block?.length === 0) {
        lowering.error(node.place, 'empty-block', 'notification_email is empty: no mail is sent')
      }
    },
    each: (draft, node) => {
      draft.mailTo.push(...[node.keyword, ...node.args].map((address) => address.text))
    },
  },
  {
    name: 'notification_email_from',
    args: [word('ADDRESS')],
    missing: 'config',
    default: 'user@host',
    doc: 'The sender of mails.',
    set: (draft, values) => {
      draft.mailFrom = text(values)
    },
  },
  {
    name: 'smtp_server',
    args: [word('HOST'), integer('PORT', 1, 65_535, { optional: true })],
    default: 'none: no mail; port 25',
    doc: 'The mail server: plain SMTP. There is no default server, as in keepalived.',
    set: (draft, values) => {
      draft.mailServer = text(values)
      draft.mailPort = given(values[1]) ? number(values, 1) : 25
    },
  },
  {
    name: 'smtp_helo_name',
    args: [optionalWord('NAME')],
    default: 'the host name',
    doc: 'The name given to the mail server.',
    set: (draft, values) => {
      if (given(values[0])) draft.mailHelo = text(values)
    },
  },
  {
    name: 'smtp_connect_timeout',
    args: [integer('SECONDS', 1, longest, { zeroIs: 1 })],
    unit: 's',
    default: '30',
    doc: 'How long the mail server may take to answer.',
    set: (draft, values) => {
      draft.mailTimeoutUs = seconds(values)
    },
  },
  {
    name: 'smtp_alert',
    args: [onOff],
    default: 'off',
    doc: 'Mail on changes of state, for every block that does not say otherwise.',
    set: (draft, values) => {
      draft.mail = flag(values)
    },
  },
  {
    name: 'smtp_alert_vrrp',
    args: [onOff],
    default: 'smtp_alert',
    doc: 'The same for instances and sync groups only.',
    set: (draft, values) => {
      draft.mailVrrp = flag(values)
    },
  },
  {
    name: 'no_email_faults',
    default: 'off',
    doc: 'No mail on entering the fault state.',
    set: (draft) => {
      draft.noEmailFaults = true
    },
  },
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
    name: 'startup_script_timeout',
    args: [scriptSeconds],
    missing: 'config',
    unit: 's',
    default: '10',
    doc: 'How long startup_script may take.',
    set: (draft, values) => {
      draft.startupTimeoutUs = seconds(values)
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
    name: 'shutdown_script_timeout',
    args: [scriptSeconds],
    missing: 'config',
    unit: 's',
    default: '10',
    doc: 'How long shutdown_script may take.',
    set: (draft, values) => {
      draft.shutdownTimeoutUs = seconds(values)
    },
  },
  {
    name: 'script_user',
    args: [userAndGroup],
    missing: 'config',
    default: 'keepalived_script if there is such a user, else the daemon’s own',
    doc: 'USER [GROUP] that scripts run as unless they say otherwise. `:GROUP` also sets the supplementary groups of the user.',
    set: setScriptUser,
  },
  {
    name: 'enable_script_security',
    default: 'off',
    doc: 'What would run as root is not run when another user could change it, its interpreter, what it names to a shell, or a directory or link on the way: see docs/security.md.',
    set: (draft) => {
      draft.scriptSecurity = true
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
  {
    name: 'fifo_write_vrrp_states_on_reload',
    default: 'off',
    doc: 'After a reload every state is written to the FIFOs again.',
    set: (draft) => {
      draft.fifoStatesOnReload = true
    },
  },
  {
    name: 'dynamic_interfaces',
    args: [{ ...choice('allow_if_changes', 'allow_if_changes'), optional: true }],
    default: 'off',
    doc: 'Interfaces may be absent at start, appear and vanish. That one may come back as another type needs no permission here.',
    set: (_draft, _values, _node, lowering) => {
      lowering.dynamicInterfaces = true
    },
    bad: () => undefined,
  },
  {
    name: 'vrrp_priority',
    args: [integer('NICE', -20, 19)],
    missing: 'config',
    default: 'unchanged',
    doc: 'Nice value of the process.',
    set: (draft, values) => {
      draft.nice = number(values)
    },
  },
  {
    name: 'vrrp_rt_priority',
    args: [integer('PRIORITY', 1, 99, { clamp: true })],
    missing: 'config',
    default: '0 (none asked for)',
    doc: 'Real-time priority of the engine. Without it the engine takes one where it is permitted to.',
    set: (draft, values) => {
      draft.realtimePriority = number(values)
    },
  },
  {
    name: 'vrrp_rlimit_rttime',
    args: [integer('MICROSECONDS', 1, unsigned)],
    unit: 'µs',
    default: String(defaultRttimeUs),
    doc: 'How long the engine may compute without waiting before it loses its real-time priority, which is logged and degrades the status. keepalived’s 10000 kills it; a take-over of hundreds of addresses takes longer.',
    set: (draft, values) => {
      draft.rttimeUs = number(values)
    },
  },
  {
    name: 'vrrp_rlimit_rtime',
    args: [integer('MICROSECONDS', 1, unsigned)],
    unit: 'µs',
    default: String(defaultRttimeUs),
    deprecated: 'vrrp_rlimit_rttime',
    doc: 'An older spelling.',
    set: (draft, values) => {
      draft.rttimeUs = number(values)
    },
  },
  {
    name: 'vrrp_no_swap',
    default: 'off',
    doc: 'Lock the memory of the process.',
    set: (draft) => {
      draft.noSwap = true
    },
  },
  {
    name: 'max_auto_priority',
    args: [{ ...integer('PRIORITY', -1, 99), optional: true }],
    default: '0',
    doc: 'Accepted. The engine is real-time from the start where that is permitted; see vrrp_rt_priority.',
  },
  {
    name: 'min_auto_priority_delay',
    args: [integer('MICROSECONDS', 1, 10_000_000)],
    missing: 'config',
    unit: 'µs',
    default: '1000000',
    doc: 'Accepted; belongs to max_auto_priority.',
  },
  {
    name: 'vipd_liveness',
    args: [decimal('SECONDS', 0, 3600, 3)],
    unit: 's',
    default: '3',
    doc: 'vipd’s own: without a sign of life of the deciding part for this long the engine gives up leadership, so that a peer takes over. 0: never.',
    set: (draft, values) => {
      draft.livenessUs = seconds(values)
    },
  },
  {
    name: 'vipd_resign_on_demotion',
    args: [onOff],
    default: 'on',
    doc: 'vipd’s own: the default of resign_on_demotion.',
    set: (draft, values) => {
      draft.resignOnDemotion = flag(values)
    },
  },
  {
    name: 'vipd_mute_master',
    args: [choice('report', 'report', 'resign')],
    default: 'report',
    doc: 'vipd’s own: what becomes of a master none of whose adverts has left the host for a down interval (a firewall rule refuses them, say). report: it stays master, `vipd status` is degraded and the log says so. resign: FAULT, so that a peer can serve, and after 10 s, then ever later, up to 300 s, another try. With the same rule on both hosts resign leaves the pair without a master for as long as both wait.',
    set: (draft, values) => {
      draft.muteMaster = reaction(values)
    },
  },
  {
    name: 'vipd_address_conflict',
    args: [choice('report', 'report', 'resign')],
    default: 'report',
    doc: 'vipd’s own: the default of the instances’ vipd_address_conflict.',
    set: (draft, values) => {
      draft.addressConflict = reaction(values)
    },
  },
  {
    name: 'vipd_max_interval_ratio',
    args: [integer('TIMES', 0, 4095)],
    default: '10',
    doc: 'vipd’s own: an advert of version 3 whose interval is longer than so many times our advert_int is reported, and counts as so many times ours for the down interval: a single advert that states 40.95 s would keep the pair without a master for two minutes. 0: what is stated counts, as in keepalived and RFC 9568.',
    set: (draft, values) => {
      draft.maxIntervalRatio = number(values)
    },
  },
  {
    name: 'vipd_script_no_new_privs',
    args: [onOff],
    default: 'off',
    doc: 'vipd’s own: programs that are run, and what they start, gain nothing from set-user-ID programs (sudo) and file capabilities (ping). Recommended where no script needs them.',
    set: (draft, values) => {
      draft.scriptNoNewPrivs = flag(values)
    },
  },
  {
    name: 'vipd_address_lifetime',
    args: [integer('SECONDS', 0, 86_400)],
    unit: 's',
    default: '8',
    doc: 'vipd’s own: the kernel removes a virtual address by itself when it was not renewed for this long, so that none stays behind when the daemon and its warden are both killed. Longer where the interval to a peer’s take-over asks for it. 0: addresses stay for ever.',
    set: (draft, values) => {
      draft.addressLifetimeSeconds = number(values)
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
