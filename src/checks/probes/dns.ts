/** Asks one name server one question, over UDP, and over TCP when the answer does not fit (RFC 7766). */
import { randomInt } from 'node:crypto'
import { type DnsProbe, recordTypes } from '../../base/probe.ts'
import { matches } from '../verdict/pattern.ts'
import { Refusal } from '../verdict/probe-failure.ts'
import { type Asking, open } from './connection.ts'
import { type Answer, BadMessage, decodeAnswer, encodeQuery } from './dns-message.ts'
import { Ear } from './stream-reader.ts'
import { exchange } from './udp.ts'

/** Resolves with the words of success. Rejects with a Refusal. */
export async function askDns(probe: DnsProbe, asking: Asking): Promise<string> {
  const id = randomInt(65_536)
  const query = encodeQuery(id, probe.name, probe.type)
  const at = { host: probe.server, port: probe.port }
  const isOurs = (octets: Buffer) => octets.length >= 12 && octets.readUInt16BE(0) === id
  const first = read(await exchange(at, query, asking, isOurs))
  asking.passed('first byte')
  return judge(probe, first.truncated ? read(await askAgain(at, query, asking)) : first)
}

/** A message over TCP has its length before it. */
async function askAgain(
  { host, port }: { readonly host: string; readonly port: number },
  query: Buffer,
  asking: Asking,
): Promise<Buffer> {
  const socket = await open({ kind: 'tcp', host, port }, null, asking)
  const ear = new Ear(socket)
  const head = Buffer.alloc(2)
  head.writeUInt16BE(query.length, 0)
  socket.write(Buffer.concat([head, query]))
  return ear.hears((heard) => {
    const end = heard.length < 2 ? Number.POSITIVE_INFINITY : 2 + heard.readUInt16BE(0)
    if (heard.length < end) return { kind: 'open' }
    return { kind: 'right', value: heard.subarray(2, end), rest: heard.subarray(end) }
  })
}

function read(octets: Buffer): Answer {
  try {
    return decodeAnswer(octets)
  } catch (error) {
    if (error instanceof BadMessage) throw new Refusal(error.message)
    throw error
  }
}

function judge({ name, type, rcode, answer }: DnsProbe, heard: Answer): string {
  if (heard.rcode !== rcode) throw new Refusal(`${heard.rcode} for ${name}`)
  if (rcode !== 'NOERROR') return heard.rcode
  const found = heard.records.filter((record) => record.type === recordTypes[type])
  const shown = found.map(({ text }) => text).join(', ')
  if (found.length === 0) throw new Refusal(`${name} has no ${type} record`)
  if (answer === null || found.some(({ text }) => matches(answer, text))) return shown
  throw new Refusal(`${name} is ${shown}, not /${answer}/`)
}
