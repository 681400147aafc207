/** Probes that speak a service's own protocol, each by its first exchange: dns, icmp, postgres, mysql, haproxy. */
import {
  type DnsProbe,
  type HaproxyProbe,
  type IcmpProbe,
  type MysqlProbe,
  type PostgresProbe,
  type Probe,
  type RecordType,
  recordTypes,
  responseCodes,
} from '../../base/probe.ts'
import { type Descriptions, type Operands, probes } from './probe-entry.ts'
import {
  endpoint,
  hostPort,
  lastOf,
  Mistake,
  oneOf,
  patternOf,
  where,
  whole,
} from './probe-words.ts'

const dnsPort = 53
/** Octets after the header of an echo request. */
const echoOctets = { usual: 56, max: 1_400 }

type ServiceProbe = DnsProbe | IcmpProbe | PostgresProbe | MysqlProbe | HaproxyProbe

export const serviceWords = probes({
  dns: {
    belongs: (text) => text.startsWith('@') || isRecordType(text),
    options: ['rcode', 'answer'],
    make: dnsProbe,
    doc: {
      usage: '`dns NAME @SERVER[:PORT] [TYPE]`',
      yes: 'the server answers, with a record of the type (A unless written; AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT)',
      options: "`rcode CODE` (NOERROR unless written), `answer REGEX` over a record's data",
    },
  },
  icmp: {
    options: ['size'],
    make: icmpProbe,
    doc: {
      usage: '`icmp HOST`',
      yes: 'an echo request is answered; IPv4 and IPv6',
      options: '`size OCTETS`',
    },
  },
  postgres: {
    options: ['user', 'database'],
    make: postgresProbe,
    doc: {
      usage: "`postgres HOST[:PORT]`, or a socket's path",
      yes: 'the server would accept a client: it asks for a password, or turns `user` away; not while it starts, stops or has no room',
      options: '`user`, `database`',
    },
  },
  mysql: {
    options: ['user'],
    make: ({ target, options }) => ({
      kind: 'mysql',
      to: endpoint(target, 3306),
      user: lastOf(options, 'user')?.text ?? 'vipd',
    }),
    doc: {
      usage: "`mysql HOST[:PORT]`, or a socket's path",
      yes: 'the same. It logs in without a password, so that the server does not count a broken-off greeting as an error of this host',
      options: '`user`',
    },
  },
  haproxy: {
    belongs: (_, i) => i === 0,
    options: [],
    make: haproxyProbe,
    doc: {
      usage: '`haproxy SOCKET BACKEND/SERVER`, or `BACKEND`',
      yes: "HAProxy's runtime API says UP, or that it has no check",
    },
  },
})

export const serviceDescriptions: Descriptions<ServiceProbe> = {
  dns: ({ server, port, name, type }) => `asks ${server} port ${port} for ${name} ${type}`,
  icmp: ({ host }) => `does ${host} answer to ping`,
  postgres: ({ to }) => `does PostgreSQL at ${where(to)} take connections`,
  mysql: ({ to }) => `does MySQL at ${where(to)} take connections`,
  haproxy: ({ to, backend, server }) => {
    const name = server === null ? backend : `${backend}/${server}`
    return `does HAProxy at ${where(to)} say that ${name} is up`
  },
}

const isRecordType = (text: string): text is RecordType => Object.hasOwn(recordTypes, text)

/** `NAME @SERVER [TYPE]`: the words after the name, in either order. */
function dnsProbe({ target, options, more }: Operands): Probe {
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

function icmpProbe({ target, options }: Operands): Probe {
  const [, six, name] = /^(?:\[([^\]]+)\]|(.+))$/.exec(target.text) ?? []
  const octets = whole(lastOf(options, 'size'), 0, echoOctets.max, echoOctets.usual)
  return { kind: 'icmp', host: six ?? name ?? target.text, octets }
}

function postgresProbe({ target, options }: Operands): Probe {
  const user = lastOf(options, 'user')?.text ?? 'vipd'
  const database = lastOf(options, 'database')?.text ?? user
  return { kind: 'postgres', to: endpoint(target, 5432), user, database }
}

/** `SOCKET BACKEND[/SERVER]`. */
function haproxyProbe({ target, more }: Operands): Probe {
  const [where] = more
  if (where === undefined)
    throw new Mistake(target, 'haproxy needs BACKEND or BACKEND/SERVER after its socket')
  const [, backend, server] = /^([\w.:-]+)(?:\/([\w.:-]+))?$/.exec(where.text) ?? []
  if (backend === undefined)
    throw new Mistake(where, `${where.text} is not BACKEND or BACKEND/SERVER`)
  return { kind: 'haproxy', to: endpoint(target, null), backend, server: server ?? null }
}
