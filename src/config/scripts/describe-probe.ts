/** In-process checks in a line for people. */
import { unreachable } from '../../base/assert.ts'
import type { FileWanted, ProcessesWanted } from '../../base/command.ts'
import type { DialogueProbe, Endpoint, Probe } from '../../base/probe.ts'

export function describeProbe(probe: Probe): string {
  switch (probe.kind) {
    case 'dialogue':
      return describeDialogue(probe)
    case 'http': {
      const { method, tls, hostField, path } = probe
      return `${method} ${tls === null ? 'http' : 'https'}://${hostField}${path}`
    }
    case 'udp':
      return `${probe.octets.length} octets to ${probe.host} port ${probe.port} (UDP) and an answer`
    case 'dns':
      return `asks ${probe.server} port ${probe.port} for ${probe.name} ${probe.type}`
    case 'icmp':
      return `does ${probe.host} answer to ping`
    case 'postgres':
      return `does PostgreSQL at ${where(probe.to)} take connections`
    case 'mysql':
      return `does MySQL at ${where(probe.to)} take connections`
    case 'haproxy': {
      const name = probe.server === null ? probe.backend : `${probe.backend}/${probe.server}`
      return `does HAProxy at ${where(probe.to)} say that ${name} is up`
    }
    default:
      return unreachable(probe)
  }
}

function describeDialogue({ to, tls, turns }: DialogueProbe): string {
  if (to.kind === 'tcp' && tls === null && turns.length === 0)
    return `does ${where(to)} accept a TCP connection`
  const wants = turns.filter(({ kind }) => kind === 'expect').length
  const answers = wants === 0 ? '' : `, ${wants} expected answer${wants === 1 ? '' : 's'}`
  return `connects to ${where(to)}${tls === null ? '' : ` with TLS as ${tls.serverName}`}${answers}`
}

const where = (to: Endpoint): string =>
  to.kind === 'unix' ? to.path : `${to.host} port ${to.port}`

export function describeQuorum({ name, least, most, parameters }: ProcessesWanted): string {
  const bound = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`
  const given = parameters === null ? '' : ` with ${parameters.join(' ') || 'no arguments'}`
  return `are ${bound} processes ${name}${given} alive`
}

export function describeFile({ path, readable, fresherMs, content }: FileWanted): string {
  const wants = [
    readable ? 'readable' : 'there',
    ...(fresherMs === null ? [] : [`changed within ${fresherMs / 1_000} s`]),
    ...(content === null ? [] : [`with /${content}/ in it`]),
  ]
  return `is ${path} ${wants.join(', ')}`
}
