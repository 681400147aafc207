/**
 * Asks a PostgreSQL server to let somebody in, as pg_isready does: a server that wants a password, or knows no
 * such user, is there and takes connections; one that starts, stops or has no room does not.
 * (PostgreSQL documentation, "Message Flow" and "Message Formats", protocol 3.0.)
 */
import type { PostgresProbe } from '../../base/probe.ts'
import { Refusal } from '../verdict/probe-failure.ts'
import { type Asking, open } from './connection.ts'
import { show } from './expectation.ts'
import { Ear, type Judgement } from './stream-reader.ts'

const protocol = 3 << 16
/** Of messages that a server may send before it knows us. */
const messageBytesMax = 30_000

/** Insufficient resources, and operator intervention (which starting up is): it takes nobody in. */
const takesNobody = /^(53|57)/

/** Resolves with the words of success. Rejects with a Refusal. */
export async function askPostgres(probe: PostgresProbe, asking: Asking): Promise<string> {
  const socket = await open(probe.to, null, asking)
  socket.once('data', () => asking.passed('first byte'))
  socket.write(startup(probe))
  const { kind, body } = await new Ear(socket).hears(readMessage)
  // Terminate; without it the server would log that we broke off.
  socket.end(Buffer.from([0x58, 0, 0, 0, 4]))
  if (kind === 'R') return 'takes connections'
  const fields = fieldsOf(body)
  const [code = '', message = ''] = [fields.get('C'), fields.get('M')]
  if (takesNobody.test(code)) throw new Refusal(`${message} (${code})`)
  return `takes connections (${message})`
}

function startup({ user, database }: PostgresProbe): Buffer {
  const text = `user\0${user}\0database\0${database}\0application_name\0vipd\0\0`
  const body = Buffer.from(text)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(head.length + body.length, 0)
  head.writeUInt32BE(protocol, 4)
  return Buffer.concat([head, body])
}

/** An authentication request (R) or an error (E); nothing else comes first. */
function readMessage(
  heard: Buffer,
): Judgement<{ readonly kind: 'R' | 'E'; readonly body: Buffer }> {
  if (heard.length < 5) return { kind: 'open' }
  const kind = heard.toString('latin1', 0, 1)
  const length = heard.readUInt32BE(1)
  if ((kind !== 'R' && kind !== 'E') || length < 4 || length > messageBytesMax)
    return { kind: 'wrong', why: `not a PostgreSQL server: ${show(heard)}` }
  if (heard.length < 1 + length) return { kind: 'open' }
  const [body, rest] = [heard.subarray(5, 1 + length), heard.subarray(1 + length)]
  return { kind: 'right', value: { kind, body }, rest }
}

/** Of an error: each a letter and a string that ends with a zero octet. */
const fieldsOf = (body: Buffer): ReadonlyMap<string, string> =>
  new Map(
    body
      .toString()
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  )
