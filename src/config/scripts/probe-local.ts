/** Probes of this host: process, file, module; and push, whose results come by `vipd push`. */
import type { Command } from '../../base/command.ts'
import type { Descriptions, Operands, ProbeWords } from './probe-entry.ts'
import {
  absolutePath,
  contentOf,
  lastOf,
  Mistake,
  milliseconds,
  oneOf,
  patternOf,
  whole,
} from './probe-words.ts'
import { splitArgv } from './script-words.ts'

export const countMax = 65_535

/** Commands that are about this host. */
export type LocalCommand = Exclude<
  Command,
  { readonly kind: 'argv' | 'shell' | 'probe' | 'combination' | 'broken' }
>

export const localWords: ProbeWords = {
  process: {
    options: [
      ...['arguments', 'match', 'quorum', 'quorum_max'],
      ...['fork_delay', 'terminate_delay'],
    ],
    make: processProbe,
    instead: processQuery,
    doc: {
      usage: '`process NAME`, or an absolute path',
      yes: "so many processes match: the kernel's name for them (15 characters), or argv[0]",
      options:
        '`quorum N`, `quorum_max N`, `arguments "…"`, `match exact\\|initial\\|partial`, `fork_delay S`, `terminate_delay S`',
    },
  },
  file: {
    options: ['readable', 'fresher', 'content'],
    make: fileProbe,
    doc: {
      usage: '`file PATH`',
      yes: 'it is there',
      options: '`readable yes`, `fresher SECONDS`, `content REGEX`',
    },
  },
  module: {
    options: [],
    make: moduleProbe,
    doc: {
      usage: '`module PATH`',
      yes: 'the default export of an ES module, `(signal) => Promise<boolean \\| {ok, message}>`, says so',
    },
  },
  push: {
    target: 'none',
    options: [],
    make: () => ({ kind: 'push' }),
    doc: {
      usage: '`push`',
      yes: '`vipd push NAME` was called within the interval; `vipd push NAME --fail WHY` fails it at once',
    },
  },
}

export const localDescriptions: Descriptions<LocalCommand> = {
  process: ({ name, like }) => `in-process: is a process named ${name} alive (as ${like})`,
  processes: ({ name, least, most, parameters }) => {
    const bound = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`
    const given = parameters === null ? '' : ` with ${parameters.join(' ') || 'no arguments'}`
    return `in-process: are ${bound} processes ${name}${given} alive`
  },
  file: ({ path, readable, fresherMs, content }) => {
    const wants = [
      readable ? 'readable' : 'there',
      ...(fresherMs === null ? [] : [`changed within ${fresherMs / 1_000} s`]),
      ...(content === null ? [] : [`with /${content}/ in it`]),
    ]
    return `in-process: is ${path} ${wants.join(', ')}`
  },
  value: ({ path }) => `in-process: the number in ${path}`,
  module: ({ path }) => `the module ${path} in a thread of its own`,
  push: () => 'waits for vipd push',
}

/** The tools that ask whether a process is there. pgrep reads a regular expression: only names without its signs are taken over. */
const tools = {
  killall: /^(?:\/usr\/bin\/|\/bin\/)?killall -0 ([A-Za-z0-9_][\w.@:+-]*)$/,
  pidof: /^(?:\/usr\/s?bin\/|\/s?bin\/)?pidof ([A-Za-z0-9_][\w.@:+-]*)$/,
  pgrep: /^(?:\/usr\/bin\/|\/bin\/)?pgrep -x ([A-Za-z0-9_][\w:@-]*)$/,
} as const

function processQuery(text: string): Command | null {
  for (const like of ['killall', 'pidof', 'pgrep'] as const) {
    const name = tools[like].exec(text)?.[1]
    if (name !== undefined) return { kind: 'process', like, name }
  }
  return null
}

/** NAME is what the kernel calls it; a path is compared with argv[0]. */
function processProbe({ target, options }: Operands): Command {
  const given = lastOf(options, 'arguments')
  const least = whole(lastOf(options, 'quorum'), 1, countMax, 1)
  const most = lastOf(options, 'quorum_max')
  return {
    kind: 'processes',
    name: target.text,
    full: target.text.startsWith('/'),
    parameters: given === undefined ? null : splitArgv(given.text),
    match: oneOf(lastOf(options, 'match'), ['exact', 'initial', 'partial'], 'exact'),
    least,
    most: most === undefined ? Number.POSITIVE_INFINITY : whole(most, least, countMax, least),
    gainDelayMs: milliseconds(lastOf(options, 'fork_delay')) ?? 0,
    lossDelayMs: milliseconds(lastOf(options, 'terminate_delay')) ?? 0,
  }
}

function fileProbe({ target, options }: Operands): Command {
  const content = lastOf(options, 'content')
  return {
    kind: 'file',
    path: absolutePath(target),
    readable: oneOf(lastOf(options, 'readable'), ['yes', 'no'], 'no') === 'yes',
    fresherMs: milliseconds(lastOf(options, 'fresher')),
    content: content === undefined ? null : patternOf(content),
  }
}

/** The text is looked at so that a reload notices that the file has changed. */
function moduleProbe({ target, lowering }: Operands): Command {
  const path = absolutePath(target)
  if (!/\.m?js$/.test(path)) throw new Mistake(target, `${path} is no ES module (.mjs or .js)`)
  return { kind: 'module', path, digest: digestOf(contentOf(target, lowering)) }
}

/** FNV-1a: tells two texts apart, no more. */
function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return `${text.length}-${(hash >>> 0).toString(16)}`
}
