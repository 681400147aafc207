/** Probes that connect and talk: tcp, tls, unix, smtp and redis, and udp, which has one of each. */

import type { Command } from '../../base/command.ts'
import {
  connectsTo,
  type DialogueProbe,
  type Endpoint,
  type Probe,
  type TlsWanted,
  type Turn,
  type UdpProbe,
} from '../../base/probe.ts'
import { type Descriptions, type Operands, probes } from './probe-entry.ts'
import { octetsOf } from './probe-octets.ts'
import {
  absolutePath,
  hexOf,
  hostPort,
  Mistake,
  type Option,
  patternOf,
  tlsOf,
  tlsOptions,
  where,
} from './probe-words.ts'

const turnOptions = ['send', 'send_hex', 'expect', 'expect_hex', 'expect_regex']

export const talkWords = probes({
  tcp: {
    options: turnOptions,
    make: ({ target, options }) => dialogueTo(hostPort(target, null), null, turnsOf(options)),
    instead: devTcp,
    doc: {
      usage: '`tcp HOST:PORT`',
      yes: 'a connection is accepted; then what the options say, in their order',
      options: '`send TEXT`, `send_hex HEX`, `expect TEXT`, `expect_hex HEX`, `expect_regex REGEX`',
    },
  },
  unix: {
    options: turnOptions,
    make: ({ target, options }) =>
      dialogueTo({ kind: 'unix', path: absolutePath(target) }, null, turnsOf(options)),
    doc: { usage: '`unix PATH`', yes: 'the same over a Unix socket', options: 'the same' },
  },
  tls: {
    options: [...tlsOptions, ...turnOptions],
    make: ({ target, options, lowering }) => {
      const to = hostPort(target, 443)
      return dialogueTo(to, tlsOf(to.host, options, lowering), turnsOf(options))
    },
    doc: {
      usage: '`tls HOST[:PORT]`',
      yes: 'the handshake is done, chain and name are valid',
      options:
        'the same, and `sni NAME`, `ca FILE`, `cert FILE`, `key FILE`, `days N` (so long the certificate must still be valid)',
    },
  },
  udp: {
    options: turnOptions,
    make: udpProbe,
    doc: {
      usage: '`udp HOST:PORT`',
      yes: 'one datagram is answered',
      options: 'one of `send…`, one of `expect…`',
    },
  },
  smtp: {
    options: [],
    make: ({ target }) =>
      dialogueTo(hostPort(target, 25), null, [
        line('^220[ -]'),
        { kind: 'send', octets: octetsOf('QUIT\\r\\n') },
        line('^(220-|221)'),
      ]),
    doc: { usage: '`smtp HOST[:PORT]`', yes: 'the server greets with 220' },
  },
  redis: {
    options: [],
    make: ({ target }) =>
      dialogueTo(hostPort(target, 6379), null, [
        { kind: 'send', octets: octetsOf('PING\\r\\n') },
        line('^\\+PONG$'),
      ]),
    doc: { usage: '`redis HOST[:PORT]`', yes: 'PING is answered with PONG' },
  },
})

export const talkDescriptions: Descriptions<DialogueProbe | UdpProbe> = {
  dialogue: ({ to, tls, turns }) => {
    if (to.kind === 'tcp' && tls === null && turns.length === 0)
      return `does ${where(to)} accept a TCP connection`
    const wants = turns.filter(({ kind }) => kind === 'expect').length
    const answers = wants === 0 ? '' : `, ${wants} expected answer${wants === 1 ? '' : 's'}`
    return `connects to ${where(to)}${tls === null ? '' : ` with TLS as ${tls.serverName}`}${answers}`
  },
  udp: ({ octets, host, port }) =>
    `${octets.length} octets to ${host} port ${port} (UDP) and an answer`,
}

/** Bash's own way to open a connection. */
function devTcp(text: string): Command | null {
  const [, host, digits] = /^<\s*\/dev\/tcp\/([^\s/]+)\/(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) return null
  return { kind: 'probe', probe: connectsTo({ kind: 'tcp', host, port }) }
}

function udpProbe({ target, options }: Operands): Probe {
  const { host, port } = hostPort(target, null)
  const turns = turnsOf(options)
  const [sent, expected, more] = [
    turns.find(({ kind }) => kind === 'send'),
    turns.find(({ kind }) => kind === 'expect'),
    turns.length > 2,
  ]
  if (more) throw new Mistake(target, 'udp takes one send and one expect')
  return {
    kind: 'udp',
    host,
    port,
    octets: sent?.kind === 'send' ? sent.octets : new Uint8Array(),
    expect: expected?.kind === 'expect' ? expected.what : null,
  }
}

const dialogueTo = (
  to: Endpoint,
  tls: TlsWanted | null,
  turns: readonly Turn[],
): DialogueProbe => ({ kind: 'dialogue', to, tls, turns })

const line = (source: string): Turn => ({ kind: 'expect', what: { kind: 'line', source } })

function turnsOf(options: readonly Option[]): Turn[] {
  return options.flatMap(({ name, value }): Turn[] => {
    const { text } = value
    switch (name.text) {
      case 'send':
        return [{ kind: 'send', octets: octetsOf(text) }]
      case 'send_hex':
        return [{ kind: 'send', octets: hexOf(value) }]
      case 'expect':
        return [{ kind: 'expect', what: { kind: 'octets', octets: octetsOf(text) } }]
      case 'expect_hex':
        return [{ kind: 'expect', what: { kind: 'octets', octets: hexOf(value) } }]
      case 'expect_regex':
        return [{ kind: 'expect', what: { kind: 'pattern', source: patternOf(value) } }]
      default:
        return []
    }
  })
}
