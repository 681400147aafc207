/** Probes that connect and talk: tcp, tls and unix, and udp, which sends one datagram and wants one. */

import type { DialogueProbe, Endpoint, Probe, TlsWanted, Turn } from '../../base/probe.ts'
import type { Lowering } from '../draft/report.ts'
import type { Word } from '../language/tree-types.ts'
import { asks, type ProbeKinds, type ProbeTexts } from './probe-kind.ts'
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

const tcpProbe = (target: Word, options: readonly Option[]): Probe =>
  dialogueTo(hostPort(target, null), null, turnsOf(options))

function tlsProbe(target: Word, options: readonly Option[], lowering: Lowering): Probe {
  const to = hostPort(target, 443)
  return dialogueTo(to, tlsOf(to.host, options, lowering), turnsOf(options))
}

const unixProbe = (target: Word, options: readonly Option[]): Probe =>
  dialogueTo({ kind: 'unix', path: absolutePath(target) }, null, turnsOf(options))

function udpProbe(target: Word, options: readonly Option[]): Probe {
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

/** Connects, and says and hears the turns. */
export const dialogueTo = (
  to: Endpoint,
  tls: TlsWanted | null,
  turns: readonly Turn[],
): DialogueProbe => ({ kind: 'dialogue', to, tls, turns })

/** A line of the answer. */
export const line = (source: string): Turn => ({ kind: 'expect', what: { kind: 'line', source } })

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

export const talkKinds: ProbeKinds = {
  tcp: asks(turnOptions, tcpProbe),
  tls: asks([...tlsOptions, ...turnOptions], tlsProbe),
  unix: asks(turnOptions, unixProbe),
  udp: asks(turnOptions, udpProbe),
}

export const talkTexts: Pick<ProbeTexts, 'dialogue' | 'udp'> = {
  dialogue: describeDialogue,
  udp: ({ octets, host, port }) =>
    `${octets.length} octets to ${host} port ${port} (UDP) and an answer`,
}

function describeDialogue({ to, tls, turns }: DialogueProbe): string {
  if (to.kind === 'tcp' && tls === null && turns.length === 0)
    return `does ${where(to)} accept a TCP connection`
  const wants = turns.filter(({ kind }) => kind === 'expect').length
  const answers = wants === 0 ? '' : `, ${wants} expected answer${wants === 1 ? '' : 's'}`
  return `connects to ${where(to)}${tls === null ? '' : ` with TLS as ${tls.serverName}`}${answers}`
}
