/**
 * `probe KIND TARGET … [OPTION VALUE]…`, the options on the line or one per line in braces: what an in-process
 * check asks. The words become plain data; whatever they cannot mean is reported with its place, and the check then cannot
 * run.
 */
import type { Command } from '../../base/command.ts'
import type { Probe } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import { httpOptions, httpProbe } from './probe-http.ts'
import { fileProbe, moduleProbe, processOptions, processProbe, pushProbe } from './probe-local.ts'
import {
  dnsProbe,
  haproxyProbe,
  icmpProbe,
  isRecordType,
  mysqlProbe,
  postgresProbe,
} from './probe-services.ts'
import {
  redisProbe,
  smtpProbe,
  tcpProbe,
  tlsProbe,
  turnOptions,
  udpProbe,
  unixProbe,
} from './probe-talk.ts'
import { Mistake, type Option, tlsOptions } from './probe-words.ts'

type Kind = {
  /** 'none': it has no target. */
  readonly target?: 'none'
  /** Does a word after the target belong to it. */
  readonly belongs?: (text: string, i: number) => boolean
  /** Of the options, those that it takes. */
  readonly options: readonly string[]
  readonly make: (
    target: Word,
    options: readonly Option[],
    more: readonly Word[],
    lowering: Lowering,
  ) => Command
}

const asks = (
  options: readonly string[],
  make: (target: Word, options: readonly Option[], lowering: Lowering) => Probe,
): Kind => ({
  options,
  make: (target, given, _more, lowering) => ({
    kind: 'probe',
    probe: make(target, given, lowering),
  }),
})

const kinds: Readonly<Record<string, Kind>> = {
  tcp: asks(turnOptions, tcpProbe),
  tls: asks([...tlsOptions, ...turnOptions], tlsProbe),
  unix: asks(turnOptions, unixProbe),
  udp: asks(turnOptions, udpProbe),
  http: asks(httpOptions, httpProbe),
  https: asks([...httpOptions, ...tlsOptions], httpProbe),
  dns: {
    belongs: (text) => text.startsWith('@') || isRecordType(text),
    options: ['rcode', 'answer'],
    make: (target, given, more) => ({ kind: 'probe', probe: dnsProbe(target, given, more) }),
  },
  icmp: asks(['size'], icmpProbe),
  smtp: asks([], smtpProbe),
  redis: asks([], redisProbe),
  postgres: asks(['user', 'database'], postgresProbe),
  mysql: asks(['user'], mysqlProbe),
  haproxy: {
    belongs: (_, i) => i === 0,
    options: [],
    make: (target, given, more) => ({ kind: 'probe', probe: haproxyProbe(target, given, more) }),
  },
  process: { options: processOptions, make: processProbe },
  file: { options: ['readable', 'fresher', 'content'], make: fileProbe },
  module: { options: [], make: moduleProbe },
  push: { target: 'none', options: [], make: pushProbe },
}

export const probeKinds: readonly string[] = Object.keys(kinds)

/** null after a mistake, which has been reported. */
export function readProbe(node: Node, lowering: Lowering): Command | null {
  const [kindWord, ...words] = node.args
  if (kindWord === undefined) return null
  try {
    return read(kindWord, words, node.block ?? [], lowering)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    lowering.error(error.word, 'bad-probe', `${error.message}; the check cannot run`)
    return null
  }
}

function read(
  kindWord: Word,
  words: readonly Word[],
  block: readonly Node[],
  lowering: Lowering,
): Command {
  const kind = Object.hasOwn(kinds, kindWord.text) ? kinds[kindWord.text] : undefined
  if (kind === undefined)
    throw new Mistake(kindWord, `${kindWord.text} is no probe; there are ${probeKinds.join(', ')}`)
  const [target = kindWord, ...after] = kind.target === 'none' ? [kindWord, ...words] : words
  if (target === kindWord && kind.target !== 'none')
    throw new Mistake(kindWord, `probe ${kindWord.text} needs a target`)
  const end = after.findIndex(({ text }, i) => kind.belongs?.(text, i) !== true)
  const more = end < 0 ? after : after.slice(0, end)
  const pairs = [...pairsOf(after.slice(more.length)), ...block.map(pairOf)]
  return kind.make(target, optionsOf(kindWord, pairs, kind.options), more, lowering)
}

type Pair = readonly [Word, Word | undefined]

const pairsOf = (words: readonly Word[]): Pair[] =>
  words.flatMap((word, i): Pair[] => (i % 2 === 0 ? [[word, words[i + 1]]] : []))

function pairOf({ keyword, args, block }: Node): Pair {
  const [value, surplus] = args
  if (block !== null) throw new Mistake(keyword, `${keyword.text} takes no block`)
  if (surplus !== undefined)
    throw new Mistake(surplus, `${keyword.text} takes one value; quote it if it has blanks`)
  return [keyword, value]
}

function optionsOf(kind: Word, pairs: readonly Pair[], allowed: readonly string[]): Option[] {
  return pairs.map(([name, value]) => {
    if (!allowed.includes(name.text)) {
      const known = allowed.length === 0 ? 'it takes none' : `it takes ${allowed.join(', ')}`
      throw new Mistake(name, `probe ${kind.text} has no option ${name.text}: ${known}`)
    }
    if (value === undefined) throw new Mistake(name, `${name.text} needs a value`)
    return { name, value }
  })
}
