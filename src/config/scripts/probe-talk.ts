/** Probes that connect and talk: tcp, tls, unix, smtp and redis, and udp, which has one of each. */
import type { DialogueProbe, Endpoint, Probe, TlsWanted, Turn } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'
import { octetsOf } from './probe-octets.ts'
import {
  absolutePath,
  hexOf,
  hostPort,
  Mistake,
  type Option,
  patternOf,
  tlsOf,
} from './probe-words.ts'

export const turnOptions = ['send', 'send_hex', 'expect', 'expect_hex', 'expect_regex']

export const tcpProbe = (target: Word, options: readonly Option[]): Probe =>
  dialogueTo(hostPort(target, null), null, turnsOf(options))

export function tlsProbe(target: Word, options: readonly Option[], lowering: Lowering): Probe {
  const to = hostPort(target, 443)
  return dialogueTo(to, tlsOf(to.host, options, lowering), turnsOf(options))
}

export const unixProbe = (target: Word, options: readonly Option[]): Probe =>
  dialogueTo({ kind: 'unix', path: absolutePath(target) }, null, turnsOf(options))

export const smtpProbe = (target: Word): Probe =>
  dialogueTo(hostPort(target, 25), null, [
    line('^220[ -]'),
    { kind: 'send', octets: octetsOf('QUIT\\r\\n') },
    line('^(220-|221)'),
  ])

export const redisProbe = (target: Word): Probe =>
  dialogueTo(hostPort(target, 6379), null, [
    { kind: 'send', octets: octetsOf('PING\\r\\n') },
    line('^\\+PONG$'),
  ])

export function udpProbe(target: Word, options: readonly Option[]): Probe {
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
