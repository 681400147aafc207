/** Probes that speak a service's own protocol, each by its first exchange. */
import { type Probe, type RecordType, recordTypes, responseCodes } from '../../base/probe.ts'
import type { Word } from '../language/tree-types.ts'
import { asks, type ProbeKinds, type ProbeTexts } from './probe-kind.ts'
import { octetsOf } from './probe-octets.ts'
import { dialogueTo, line } from './probe-talk.ts'
import {
  endpoint,
  hostPort,
  lastOf,
  Mistake,
  type Option,
  oneOf,
  patternOf,
  where,
  whole,
} from './probe-words.ts'

const dnsPort = 53
/** Octets after the header of an echo request. */
const echoOctets = { usual: 56, max: 1_400 }

const isRecordType = (text: string): text is RecordType => Object.hasOwn(recordTypes, text)

/** `NAME @SERVER [TYPE]`: the words after the name, in either order. */
function dnsProbe(target: Word, options: readonly Option[], more: readonly Word[]): Probe {
  const server = more.find(({ text }) => text.startsWith('@'))
  if (server === undefined) throw new Mistake(target, 'dns needs the server to ask, as @ADDRESS')
  const type = more.find(({ text }) => isRecordType(text))?.text ?? 'A'
  const to = hostPort({ ...server, text: server.text.slice(1) }, dnsPort)
  const answer = lastOf(options, 'answer')
  const labels = target.text.replace(/\.$/, '').split('.')
  if (target.text !== '.' && !labels.every((label) => /^.{1,63}$/.test(label)))
    throw new Mistake(target, `${target.text} is no DNS name`)
  return {
    kind: 'dns',
    name: target.text,
    type: isRecordType(type) ? type : 'A',
    server: to.host,
    port: to.port,
    rcode: oneOf(lastOf(options, 'rcode'), responseCodes, 'NOERROR'),
    answer: answer === undefined ? null : patternOf(answer),
  }
}

function icmpProbe(target: Word, options: readonly Option[]): Probe {
  const [, six, name] = /^(?:\[([^\]]+)\]|(.+))$/.exec(target.text) ?? []
  const octets = whole(lastOf(options, 'size'), 0, echoOctets.max, echoOctets.usual)
  return { kind: 'icmp', host: six ?? name ?? target.text, octets }
}

const smtpProbe = (target: Word): Probe =>
  dialogueTo(hostPort(target, 25), null, [
    line('^220[ -]'),
    { kind: 'send', octets: octetsOf('QUIT\\r\\n') },
    line('^(220-|221)'),
  ])

const redisProbe = (target: Word): Probe =>
  dialogueTo(hostPort(target, 6379), null, [
    { kind: 'send', octets: octetsOf('PING\\r\\n') },
    line('^\\+PONG$'),
  ])

function postgresProbe(target: Word, options: readonly Option[]): Probe {
  const user = lastOf(options, 'user')?.text ?? 'vipd'
  const database = lastOf(options, 'database')?.text ?? user
  return { kind: 'postgres', to: endpoint(target, 5432), user, database }
}

const mysqlProbe = (target: Word, options: readonly Option[]): Probe => ({
  kind: 'mysql',
  to: endpoint(target, 3306),
  user: lastOf(options, 'user')?.text ?? 'vipd',
})

/** `SOCKET BACKEND[/SERVER]`. */
function haproxyProbe(target: Word, _options: readonly Option[], more: readonly Word[]): Probe {
  const [where] = more
  if (where === undefined)
    throw new Mistake(target, 'haproxy needs BACKEND or BACKEND/SERVER after its socket')
  const [, backend, server] = /^([\w.:-]+)(?:\/([\w.:-]+))?$/.exec(where.text) ?? []
  if (backend === undefined)
    throw new Mistake(where, `${where.text} is not BACKEND or BACKEND/SERVER`)
  return { kind: 'haproxy', to: endpoint(target, null), backend, server: server ?? null }
}

export const serviceKinds: ProbeKinds = {
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
}

export const serviceTexts: Pick<ProbeTexts, 'dns' | 'icmp' | 'postgres' | 'mysql' | 'haproxy'> = {
  dns: ({ server, port, name, type }) => `asks ${server} port ${port} for ${name} ${type}`,
  icmp: ({ host }) => `does ${host} answer to ping`,
  postgres: ({ to }) => `does PostgreSQL at ${where(to)} take connections`,
  mysql: ({ to }) => `does MySQL at ${where(to)} take connections`,
  haproxy: ({ to, backend, server }) => {
    const name = server === null ? backend : `${backend}/${server}`
    return `does HAProxy at ${where(to)} say that ${name} is up`
  },
}
