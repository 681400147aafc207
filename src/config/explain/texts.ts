/** What docs/configuration.md and vipd.conf(5) say alike: the language, the blocks, and a keyword's arguments and meaning. */

import type { Argument, BlockName, Keyword, KeywordStatus } from '../grammar/entries.ts'
import { reasonOf } from '../keywords/reasons.ts'

/** Blocks in the order in which they are explained, each with its sentence. */
export const blocks: readonly (readonly [BlockName, string])[] = [
  ['root', 'What stands outside every block.'],
  ['global_defs', 'Settings of the whole file. It counts wherever it stands.'],
  [
    'vrrp_script',
    'A check: `vrrp_script NAME { … }`. It must stand above the instances that track it; one that is not tracked is not run.',
  ],
  ['vrrp_instance', 'A virtual router: `vrrp_instance NAME { … }`.'],
  ['authentication', 'Inside `vrrp_instance`; version 2 only.'],
  [
    'vrrp_sync_group',
    'Instances that change state together: `vrrp_sync_group NAME { … }`. Without `sync_group_tracking_weight` the weighted scripts of its members are not tracked, and weighted interfaces count as if they had no weight.',
  ],
  ['auth_hmac', 'Inside `vrrp_instance`.'],
  ['track_file', '`track_file NAME { … }`.'],
  ['vrrp_track_process', '`vrrp_track_process NAME { … }`.'],
  [
    'bfd_instance',
    'A session: `bfd_instance NAME { … }`. [docs/bfd.md](bfd.md) says what it is good for, and when it is wrong.',
  ],
  ['garp_group', '`garp_group { … }`.'],
  ['track_group', '`track_group NAME { … }`.'],
]

export const statuses: Readonly<Record<KeywordStatus, string>> = {
  supported: 'does what is said here',
  recognised: 'checked, and then a warning: this version does not act on it',
  ignored: 'belongs to the load balancer; no effect here',
}

/** The language itself, as Markdown. */
export const preamble = `vipd reads keepalived.conf. \`vipd check -f FILE\` says what a file means: every effective value, the arithmetic of
priorities, how each script will be run and as which user, and what is wrong, with its place.

A line is a keyword and its arguments; braces open and close blocks. \`#\` and \`!\` begin a comment wherever they stand
outside double quotes. Numbers are decimal. A value that cannot be used is reported and the default counts. A word that
is not a keyword is reported; if it opens a block, the whole block is skipped. Behind the address of a peer, a source or a
multicast group the end of a range (\`10.0.0.2-9\`) or a prefix length (\`10.0.0.2/24\`) is cut with a warning, as keepalived
cuts it without one.

## How a script is run

1. \`killall -0 NAME\`, \`pidof NAME\`, \`pgrep -x NAME\` and \`</dev/tcp/HOST/PORT\`, exactly so and also with the absolute
   path of the command, are answered inside the daemon, with the verdict that the command would give.
2. Text that needs a shell – an operator, a redirection, \`$\`, a backquote, a glob, a shell word such as \`if\`, \`[\` or
   \`exit\` first, or an assignment before the command – runs under bash where there is one, else under sh. Inside quotes
   and inside an address with \`://\` these signs are ordinary.
3. Anything else is executed directly, its words as arguments. A command without a slash is looked up in PATH.

A command that is missing or not executable counts as failed. The user is the one of the script, else \`script_user\`, else
\`keepalived_script\` if there is such a user, else the daemon's own.`

export function argumentsText(keyword: Keyword): string {
  const written = keyword.args.map(argumentText).join(' ')
  const unit = keyword.unit === undefined ? '' : ` ${keyword.unit}`
  if (keyword.form === 'line') return `${written}${unit}`
  const inside = keyword.form === 'entries' ? (keyword.entry ?? '…') : '…'
  return `${written === '' ? '' : `${written} `}{ ${inside} }`
}

function argumentText(argument: Argument): string {
  const text = rangeText(argument)
  return argument.optional === true && !text.startsWith('[') ? `[${text}]` : text
}

function rangeText(argument: Argument): string {
  switch (argument.kind) {
    case 'integer':
    case 'decimal':
      return `${argument.name} ${argument.min}..${argument.max}`
    case 'choice':
      return argument.values.join('|')
    case 'user':
      return 'USER [GROUP]'
    case 'command':
      return '"COMMAND"'
    case 'switch':
    case 'address':
    case 'text':
    case 'interface':
    case 'words':
      return argument.name
  }
}

export function meaning(keyword: Keyword): string {
  const parts = [keyword.doc]
  const reason = reasonOf(keyword)
  if (reason !== undefined) parts.push(`Not acted on: ${reason}.`)
  if (keyword.note !== undefined) parts.push(keyword.note)
  if (keyword.deprecated !== undefined) parts.push(`Deprecated: write \`${keyword.deprecated}\`.`)
  if (keyword.since !== undefined) parts.push(`Since keepalived ${keyword.since}.`)
  return parts.join(' ')
}
