/**
 * The blocks of keepalived's load balancer. vipd acts on none of them; they are read all the same, because a file is
 * checked as a whole: a mistake in there stops keepalived's own check as well.
 */

import type { BlockName, PlainEntry } from '../grammar/entries.ts'
import {
  anyWords,
  choice,
  decimal,
  integer,
  onOff,
  optionalWord,
  unsigned,
  withoutEffect,
  word,
} from '../grammar/make.ts'
import {
  checkGroupEntry,
  checkRequired,
  checkServer,
  checkService,
  checkWords,
} from './balancer-checks.ts'

type Line = Pick<PlainEntry, 'name' | 'doc'> & Partial<Omit<PlainEntry, 'block' | 'status'>>

const line = (name: string, doc: string, ...args: PlainEntry['args']): Line => ({ name, doc, args })
/** Without its words it is a mistake, but keepalived's parser goes on. */
const named = (name: string, doc: string): Line => ({
  ...line(name, doc, word('NAME')),
  missing: 'config',
})
/** Every word of the line is like that. */
const each = (pattern: RegExp): NonNullable<Line['set']> => {
  return (_, __, node, lowering) => checkWords(pattern, node, lowering)
}
const within = (block: BlockName, lines: readonly Line[]) => withoutEffect(block, 'ignored', lines)

const address = { kind: 'address', name: 'IP' } as const
const port = integer('PORT', 1, 65_535)
const seconds = decimal('SECONDS', 0.000001, 4294.967295, 6)
/** 2⁶⁴ µs, in whole seconds. */
const years = 18_446_744_073_709
const pace = decimal('SECONDS', 0.000001, years, 6)
const pause = decimal('SECONDS', 0, years, 6)
const weightMax = 2_147_483_647

export const balancerBlocks: readonly PlainEntry[] = within('root', [
  {
    name: 'virtual_server',
    args: [anyWords('IP PORT|fwmark N|group NAME')],
    form: 'block',
    inner: 'virtual_server',
    set: (_, __, node, lowering) => checkService(node, lowering),
    doc: 'A service of the load balancer.',
  },
  {
    name: 'virtual_server_group',
    args: [word('NAME')],
    form: 'entries',
    entry: 'IP[-RANGE] [PORT]|fwmark N',
    each: (_, node, lowering) => checkGroupEntry(node, lowering),
    doc: 'Addresses of a service of the load balancer.',
  },
  {
    name: 'SSL',
    form: 'block',
    inner: 'SSL',
    doc: 'Certificates of the load balancer’s checks.',
  },
  {
    name: 'net_namespace_ipvs',
    args: [optionalWord('NAME')],
    doc: 'Namespace of the load balancer.',
  },
])

const schedulers = 'rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos'.split(' ')
const kind = choice('KIND', 'NAT', 'DR', 'TUN')

/** What may be said of a service, of a server and of a check; the innermost counts. */
const paces: readonly Line[] = [
  line('delay_loop', 'Seconds between two checks.', pace),
  line('warmup', 'Longest random wait before the first check.', pause),
  line('delay_before_retry', 'Seconds before a check is repeated.', pause),
]

const retries = line('retry', 'How often a check is repeated.', integer('COUNT', 1, unsigned))

const ofService: readonly Line[] = [
  ...paces,
  retries,
  line('connect_timeout', 'How long a check waits for a connection.', seconds),
  ...['lb_algo', 'lvs_sched'].map((name) =>
    line(name, 'The scheduler.', choice('SCHEDULER', ...schedulers)),
  ),
  ...['lb_kind', 'lvs_method'].map((name) =>
    line(name, 'How packets are forwarded.', kind, anyWords('OPTIONS')),
  ),
  line('protocol', 'The protocol.', choice('PROTOCOL', ...'TCP UDP SCTP tcp udp sctp'.split(' '))),
  line('ip_family', 'The address family.', choice('FAMILY', 'inet', 'inet6')),
  line(
    'persistence_timeout',
    'How long a client stays with its server.',
    integer('SECONDS', 1, 2_678_400, { optional: true }),
  ),
  line('persistence_engine', 'What decides that.', word('NAME')),
  {
    ...line('persistence_granularity', 'Which clients count as one.', word('NETMASK|LENGTH')),
    set: each(/^(\d+|(\d{1,3}\.){3}\d{1,3})$/),
  },
  line('quorum', 'Weight of servers that must be there.', integer('WEIGHT', 1, unsigned)),
  line('hysteresis', 'Slack of the quorum.', integer('WEIGHT', 0, unsigned)),
  line('weight', 'Weight of a server that has none.', integer('WEIGHT', 1, weightMax)),
  ...['quorum_up', 'quorum_down'].map((name) =>
    line(name, 'A script.', word('COMMAND'), anyWords('USER')),
  ),
  line('smtp_alert', 'Send mail.', onOff),
  named('virtualhost', 'Host name of HTTP checks.'),
  { ...named('snmp_name', 'Name for SNMP.'), extra: 'error' },
  line('sorry_server', 'The server of last resort.', address, { ...port, optional: true }),
  ...'alpha omega ops ha_suspend inhibit_on_failure hashed flag-1 flag-2 flag-3 sh-port sh-fallback mh-port mh-fallback sorry_server_inhibit sorry_server_lvs_method'
    .split(' ')
    .map((name) => line(name, 'A setting of the service.', anyWords('OPTIONS'))),
  {
    name: 'real_server',
    args: [anyWords('IP PORT')],
    form: 'block',
    inner: 'real_server',
    set: (_, __, node, lowering) => checkServer(node, lowering),
    doc: 'A server.',
  },
]

/** Check → what its block cannot do without; '' for nothing. */
const checkers: readonly (readonly [BlockName, string])[] = [
  ['HTTP_GET', 'url'],
  ['SSL_GET', 'url'],
  ['TCP_CHECK', ''],
  ['SMTP_CHECK', ''],
  ['DNS_CHECK', ''],
  ['MISC_CHECK', 'misc_path'],
  ['PING_CHECK', ''],
  ['UDP_CHECK', ''],
  ['BFD_CHECK', 'name'],
  ['FILE_CHECK', 'track_file'],
]

const blockOf = (name: BlockName, required: string, doc: string): Line => ({
  name,
  doc,
  form: 'block',
  inner: name,
  set: (_, __, node, lowering) => checkRequired(node, required, lowering),
})

const ofServer: readonly Line[] = [
  ...paces,
  retries,
  line('connect_timeout', 'How long a check waits for a connection.', seconds),
  line('weight', 'The server’s share.', integer('WEIGHT', 0, weightMax)),
  line('lvs_method', 'How packets are forwarded.', kind, anyWords('OPTIONS')),
  ...['lthreshold', 'uthreshold'].map((name) =>
    line(name, 'A bound of connections.', integer('COUNT', 0, unsigned)),
  ),
  ...['notify_up', 'notify_down'].map((name) =>
    line(name, 'A script.', word('COMMAND'), anyWords('USER')),
  ),
  ...['alpha', 'inhibit_on_failure', 'smtp_alert'].map((name) =>
    line(name, 'A setting of the server.', onOff),
  ),
  named('virtualhost', 'Host name of HTTP checks.'),
  { ...named('snmp_name', 'Name for SNMP.'), extra: 'error' },
  ...checkers.map(([name, required]) => blockOf(name, required, 'A check.')),
]

const ofCheck: readonly Line[] = [
  ...paces,
  { ...retries, args: [integer('COUNT', 0, unsigned)] },
  line('alpha', 'Down until the first check.', onOff),
  line('log_all_failures', 'Log each failure.', onOff),
]

const ofConnection: readonly Line[] = [
  ...ofCheck,
  line('connect_timeout', 'How long a check waits for a connection.', seconds),
  line('connect_ip', 'The address to check instead.', address),
  line('connect_port', 'The port.', port),
  line('bindto', 'The source address.', address),
  line('bind_port', 'The source port.', port),
  line('bind_if', 'The interface.', word('INTERFACE')),
  line('fwmark', 'The mark of its packets.', integer('MARK', 0, unsigned)),
]

const ofHttp: readonly Line[] = [
  ...ofConnection,
  {
    ...line('nb_get_retry', 'An older spelling.', integer('COUNT', 0, unsigned)),
    deprecated: 'retry',
    deprecationCounts: true,
  },
  named('virtualhost', 'The host name.'),
  {
    ...line('http_protocol', 'The version.', choice('VERSION', '1.0', '1.0C', '1.0c', '1.1')),
    missing: 'config',
  },
  line('enable_sni', 'Send the host name.', onOff),
  line('fast_recovery', 'Check sooner while down.', onOff),
  blockOf('url', 'path', 'A page.'),
]

const lengths = ['min_reply_length', 'max_reply_length'].map((name) =>
  line(name, 'A bound of the reply.', integer('OCTETS', 0, 65_535)),
)

/** What stands inside the blocks of the load balancer; docs/configuration.md leaves it to keepalived.conf(5). */
export const balancerLines: readonly PlainEntry[] = [
  ...within('virtual_server', ofService),
  ...within('real_server', ofServer),
  ...within('HTTP_GET', ofHttp),
  ...within('SSL_GET', ofHttp),
  ...within('TCP_CHECK', ofConnection),
  ...within('PING_CHECK', ofConnection),
  ...within('SMTP_CHECK', [
    ...ofConnection,
    named('helo_name', 'Our name.'),
    blockOf('host', '', 'A host to ask.'),
  ]),
  ...within('host', ofConnection),
  ...within('DNS_CHECK', [
    ...ofConnection,
    {
      ...line('type', 'What to ask for.', word('TYPE')),
      set: each(/^(A|NS|CNAME|SOA|MX|TXT|AAAA|DNSKEY|RRSIG)$/i),
    },
    line('name', 'The name to ask for.', word('NAME')),
  ]),
  ...within('UDP_CHECK', [
    ...ofConnection,
    {
      ...line('payload', 'What is sent.', word('HEX'), anyWords('HEX')),
      missing: 'config',
      set: each(/^[0-9a-f]+$/i),
    },
    line('require_reply', 'Whether silence is a failure.', anyWords('HEX')),
    ...lengths,
  ]),
  ...within('MISC_CHECK', [
    ...ofCheck,
    line('misc_path', 'The command.', word('COMMAND')),
    line('misc_timeout', 'How long it may run.', integer('SECONDS', 0, unsigned)),
    line('misc_dynamic', 'Its status is the weight.', anyWords('OPTIONS')),
    { ...line('user', 'Whose it is.', word('USER'), anyWords('GROUP')), missing: 'config' },
  ]),
  ...within('BFD_CHECK', [
    { ...line('alpha', 'Down until the first news.', onOff) },
    named('name', 'The session.'),
  ]),
  ...within('FILE_CHECK', [
    line('track_file', 'The file.', word('NAME')),
    {
      ...line(
        'weight',
        'What its number counts.',
        integer('WEIGHT', -weightMax, weightMax),
        anyWords('reverse'),
      ),
      missing: 'config',
    },
  ]),
  ...within('url', [
    line('path', 'The page.', word('PATH')),
    { ...line('digest', 'What it must be.', word('MD5')), set: each(/^.{32}$/) },
    {
      ...line('status_code', 'What must be answered.', anyWords('CODE …')),
      set: each(/^[1-5]\d\d(-[1-5]\d\d)?$/),
    },
    named('virtualhost', 'The host name.'),
    ...'regex regex_options regex_stack regex_min_offset regex_max_offset regex_no_match'
      .split(' ')
      .map((name) => line(name, 'What the page must hold.', anyWords('TEXT'))),
  ]),
  ...within(
    'SSL',
    ['certificate', 'key', 'password', 'ca'].map((name) => named(name, 'Of the client.')),
  ),
]
