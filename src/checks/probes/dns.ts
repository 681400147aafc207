/** Asks one name server one question, over UDP, and over TCP when the answer does not fit (RFC 7766). */
import { randomInt } from 'node:crypto'
import { concatBytes } from '../../base/bytes.ts'
import { type DnsProbe, recordTypes } from '../../base/probe.ts'
import {
  type DnsAnswer,
  type DnsReject,
  decodeDnsAnswer,
  dnsHeaderBytes,
  encodeDnsQuery,
} from '../../wire/dns.ts'
import { matches } from '../verdict/pattern.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { open, type ProbeContext } from './connection.ts'
import { StreamReader } from './stream-reader.ts'
import { exchange } from './udp.ts'

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function probeDns(probe: DnsProbe, context: ProbeContext): Promise<string> {
  const id = randomInt(65_536)
  const query = encodeDnsQuery(id, probe.name, probe.type)
  if (query === null) throw new ProbeFailure(`${probe.name} is no DNS name`)
  const at = { host: probe.server, port: probe.port }
  const isOurs = (octets: Buffer) =>
    octets.length >= dnsHeaderBytes && octets.readUInt16BE(0) === id
  const first = read(await exchange(at, query, context, isOurs))
  context.passed('first byte')
  return judge(probe, first.truncated ? read(await overTcp(at, query, context)) : first)
}

/** A message over TCP has its length before it. */
async function overTcp(
  { host, port }: { readonly host: string; readonly port: number },
  query: Uint8Array,
  context: ProbeContext,
): Promise<Buffer> {
  const socket = await open({ kind: 'tcp', host, port }, null, context)
  const reader = new StreamReader(socket)
  socket.write(concatBytes([Uint8Array.of(query.length >> 8, query.length & 0xff), query]))
  return reader.read((received) => {
    const end = received.length < 2 ? Number.POSITIVE_INFINITY : 2 + received.readUInt16BE(0)
    if (received.length < end) return { kind: 'incomplete' }
    return { kind: 'match', value: received.subarray(2, end), rest: received.subarray(end) }
  })
}

const rejects: Readonly<Record<DnsReject, string>> = {
  'cut-off': 'it is cut off',
  query: 'it is a query',
  'bad-pointer': 'a name points nowhere',
  'bad-name': 'a name is too long',
  'bad-address': 'an address is cut off',
}

function read(octets: Buffer): DnsAnswer {
  const decoded = decodeDnsAnswer(octets)
  if (decoded.ok) return decoded.value
  throw new ProbeFailure(`not a DNS answer: ${rejects[decoded.why]}`)
}

function judge({ name, type, rcode, answer }: DnsProbe, received: DnsAnswer): string {
  if (received.rcode !== rcode) throw new ProbeFailure(`${received.rcode} for ${name}`)
  if (rcode !== 'NOERROR') return received.rcode
  const found = received.records.filter((record) => record.type === recordTypes[type])
  const shown = found.map(({ text }) => text).join(', ')
  if (found.length === 0) throw new ProbeFailure(`${name} has no ${type} record`)
  if (answer === null || found.some(({ text }) => matches(answer, text))) return shown
  throw new ProbeFailure(`${name} is ${shown}, not /${answer}/`)
}
