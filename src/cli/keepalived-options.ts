/**
 * keepalived's command line, as its getopt_long(3) reads it: bundled letters, values attached or in the next word, long
 * names that are cut short, words in any order. What it complains about and goes on, and what ends it, is the same here.
 */
import { readSnmpSocket, type SnmpOverride } from '../config/snmp.ts'

export type KeepalivedOptions = {
  readonly action: 'run' | 'check' | 'version' | 'help'
  readonly file: string | null
  readonly includeAll: boolean
  readonly configId: string | null
  /** Where `-t` reports to; null: standard error. */
  readonly reportFile: string | null
  readonly foreground: boolean
  readonly console: boolean
  readonly syslog: boolean
  /** How often `-D` is given. */
  readonly detail: number
  /** RFC 3164: 3 is daemon. */
  readonly facility: number
  readonly umask: number | null
  readonly snmp: SnmpOverride
  readonly dumpConfiguration: boolean
  readonly pidFile: string | null
  readonly vrrpPidFile: string | null
  readonly namespace: string | null
  readonly core: boolean
  readonly corePattern: string | null
  /** A value is wrong: with `-t` it counts as a mistake of the configuration. */
  readonly mistaken: boolean
  /** Complaints that end nothing, a line each. */
  readonly notes: readonly string[]
}

/** What ends it at once: the text for standard error or output, and the exit status. */
export type Ended = { readonly status: number; readonly error?: string; readonly output?: string }

export type Read = { readonly options: KeepalivedOptions } | { readonly ended: Ended }

type Argument = 'none' | 'required' | 'optional'

/** What an option alters, what it complains about, and whether it ends everything. */
type Effect = Partial<KeepalivedOptions> & { readonly note?: string; readonly ended?: Ended }

type Option = {
  readonly long: string
  readonly short: string | null
  readonly argument: Argument
  readonly effect: (value: string, before: KeepalivedOptions) => Effect
}

const option = (
  long: string,
  short: string | null,
  argument: Argument,
  effect: Option['effect'],
): Option => ({ long, short, argument, effect })

const fails = (error: string): Effect => ({ ended: { status: 1, error } })
const nothing = (): Effect => ({})
const note = (text: string) => (): Effect => ({ note: text })
const lvs = (name: string, what: string) =>
  note(`${name} belongs to LVS, ${what}: it has no effect`)

const options: readonly Option[] = [
  option('use-file', 'f', 'required', (file) => ({ file })),
  option('vrrp', 'P', 'none', nothing),
  option('check', 'C', 'none', lvs('--check', 'whose health checkers vipd does not have')),
  option('no_bfd', 'B', 'none', nothing),
  option('all', null, 'none', nothing),
  option('log-console', 'l', 'none', () => ({ console: true })),
  option('log-detail', 'D', 'none', (_, { detail }) => ({ detail: detail + 1 })),
  option('log-facility', 'S', 'required', facility),
  option('log-file', 'g', 'optional', () =>
    fails('-g requires configure option --enable-log-file'),
  ),
  option('flush-log-file', null, 'none', nothing),
  option('no-syslog', 'G', 'none', () => ({ syslog: false })),
  option('umask', 'u', 'required', umask),
  option('release-vips', 'X', 'none', nothing),
  option(
    'dont-release-vrrp',
    'V',
    'none',
    note('--dont-release-vrrp has no effect: vipd removes its addresses at every stop'),
  ),
  option(
    'dont-release-ipvs',
    'I',
    'none',
    lvs('--dont-release-ipvs', 'whose tables vipd does not touch'),
  ),
  option('dont-respawn', 'R', 'none', nothing),
  option('dont-fork', 'n', 'none', () => ({ foreground: true })),
  option('dump-conf', 'd', 'none', () => ({ dumpConfiguration: true })),
  option('pid', 'p', 'required', (pidFile) => ({ pidFile })),
  option('vrrp_pid', 'r', 'required', (vrrpPidFile) => ({ vrrpPidFile })),
  option(
    'checkers_pid',
    'c',
    'required',
    lvs('--checkers_pid', 'whose checkers vipd does not have'),
  ),
  option('bfd_pid', 'b', 'required', note('--bfd_pid has no effect: vipd has no process for BFD')),
  option('genhash', 'T', 'none', () =>
    fails('--genhash belongs to LVS, whose HTTP checkers vipd does not have'),
  ),
  option('address-monitoring', 'a', 'none', nothing),
  option('snmp', 'x', 'none', (_, { snmp }) => ({ snmp: { ...snmp, all: true } })),
  option('snmp-agent-socket', 'A', 'required', agentSocket),
  option('namespace', 's', 'required', (namespace) => ({ namespace })),
  option('core-dump', 'm', 'none', () => ({ core: true })),
  option('core-dump-pattern', 'M', 'required', (corePattern) => ({ corePattern })),
  option('all-config', 'e', 'none', () => ({ includeAll: true })),
  option('config-id', 'i', 'required', (configId) => ({ configId })),
  option('signum', null, 'required', signum),
  option('config-test', 't', 'optional', (reportFile, { action }) => ({
    action: action === 'run' ? 'check' : action,
    ...(reportFile === '' ? {} : { reportFile }),
  })),
  option('version', 'v', 'none', () => ({ action: 'version' })),
  option('help', 'h', 'none', () => ({ action: 'help' })),
]

function facility(word: string): Effect {
  const [, local] = /^(?:local)?([0-7])$/.exec(word) ?? []
  if (local !== undefined) return { facility: 16 + Number(local) }
  if (word === 'user') return { facility: 1 }
  return word === 'daemon'
    ? { facility: 3 }
    : { mistaken: true, note: `Invalid log facility '${word}'` }
}

function agentSocket(word: string, { snmp }: KeepalivedOptions): Effect {
  const socket = readSnmpSocket(word)
  if (socket !== null) return { snmp: { ...snmp, socket } }
  return {
    note: `--snmp-agent-socket ${word}: AgentX is spoken over unix:PATH or tcp:ADDRESS:PORT`,
  }
}

/** As strtol(3) reads it: octal after 0, else decimal. */
function umask(value: string): Effect {
  const mask = /^0[0-7]*$/.test(value) ? Number.parseInt(value, 8) : Number(value)
  const good = Number.isInteger(mask) && mask >= 0 && mask <= 0o777
  return good ? { umask: mask } : { note: `Invalid --umask option ${value}` }
}

/** Numbers of real-time signals as the C library counts them: SIGRTMIN is 34, SIGRTMAX 64. */
export const signalNumbers = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
  TDATA: 64,
} as const

function signum(name: string): Effect {
  if (!Object.hasOwn(signalNumbers, name)) return fails(`Unknown sigfunc ${name}`)
  const number = signalNumbers[name as keyof typeof signalNumbers]
  return { ended: { status: 0, output: `${number}` } }
}

const defaults: KeepalivedOptions = {
  action: 'run',
  file: null,
  includeAll: false,
  configId: null,
  reportFile: null,
  foreground: false,
  console: false,
  syslog: true,
  detail: 0,
  facility: 3,
  umask: null,
  snmp: { all: false, socket: null },
  dumpConfiguration: false,
  pidFile: null,
  vrrpPidFile: null,
  namespace: null,
  core: false,
  corePattern: null,
  mistaken: false,
  notes: [],
}

type Found = {
  /** As it is named in a complaint. */
  readonly name: string
  readonly option: Option | null
  readonly value: string | null
  /** Letters of the same word that follow. */
  readonly rest: string
}

/** `words`: without the program's name. */
export function readKeepalivedOptions(words: readonly string[]): Read {
  let given = defaults
  const extra: string[] = []
  const left = [...words]
  for (let word = left.shift(); word !== undefined && word !== '--'; word = left.shift()) {
    if (word === '-' || !word.startsWith('-')) {
      extra.push(word)
      continue
    }
    const found = word.startsWith('--') ? findLong(word.slice(2)) : findShort(word.slice(1))
    if (found.rest !== '') left.unshift(`-${found.rest}`)
    const { note, ended, ...altered } = effectOf(found, given, left)
    if (ended !== undefined) return { ended }
    given = { ...given, ...altered }
    if (note !== undefined) given = { ...given, notes: [...given.notes, note] }
  }
  const unexpected = [...extra, ...left]
  if (unexpected.length === 0) return { options: given }
  const notes = [...given.notes, `Unexpected argument(s): ${unexpected.join(' ')} `]
  return { options: { ...given, notes } }
}

/** Takes the value from the words that are left when it is not attached. */
function effectOf(
  { name, option, value }: Found,
  given: KeepalivedOptions,
  left: string[],
): Effect {
  if (option === null) return fails(`Unknown option ${name}`)
  if (option.argument !== 'required') return option.effect(value ?? '', given)
  const needed = value ?? left.shift() ?? ''
  return needed === ''
    ? fails(`Missing parameter for option ${name}`)
    : option.effect(needed, given)
}

function findLong(text: string): Found {
  const [, name = '', , value] = /^([^=]*)(=(.*))?$/s.exec(text) ?? []
  const exact = options.find(({ long }) => long === name)
  const begun = options.filter(({ long }) => name !== '' && long.startsWith(name))
  const option = exact ?? (begun.length === 1 ? (begun[0] ?? null) : null)
  const unwanted = option?.argument === 'none' && value !== undefined
  return { name: `--${name}`, option: unwanted ? null : option, value: value ?? null, rest: '' }
}

function findShort(text: string): Found {
  const letter = text.slice(0, 1)
  const after = text.slice(1)
  const option = options.find(({ short }) => short === letter) ?? null
  const takes = option !== null && option.argument !== 'none'
  const value = takes && after !== '' ? after : null
  return { name: `-${letter}`, option, value, rest: takes ? '' : after }
}
