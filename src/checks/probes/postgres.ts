/**
 * Tries a login at a PostgreSQL server, as pg_isready does: a server that wants a password, or knows no
 * such user, is there and takes connections; one that starts, stops or has no room does not.
 * (PostgreSQL documentation, "Message Flow" and "Message Formats", protocol 3.0.)
 */
import type { PostgresProbe } from '../../base/probe.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { open, type ProbeContext } from './connection.ts'
import { show } from './expectation.ts'
import { type Judgement, StreamReader } from './stream-reader.ts'

const protocol = 3 << 16
/** Of messages that a server may send before it knows us. */
const messageBytesMax = 30_000

/** Insufficient resources, and operator intervention (which starting up is): it takes no connection. */
const takesNone = /^(53|57)/

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function probePostgres(probe: PostgresProbe, context: ProbeContext): Promise<string> {
  const socket = await open(probe.to, null, context)
  socket.once('data', () => context.passed('first byte'))
  socket.write(startup(probe))
  const { kind, body } = await new StreamReader(socket).read(readMessage)
  // Terminate; without it the server would log that we broke off.
  socket.end(Buffer.from([0x58, 0, 0, 0, 4]))
  if (kind === 'R') return 'takes connections'
  const fields = fieldsOf(body)
  const [code = '', message = ''] = [fields.get('C'), fields.get('M')]
  if (takesNone.test(code)) throw new ProbeFailure(`${message} (${code})`)
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
  received: Buffer,
): Judgement<{ readonly kind: 'R' | 'E'; readonly body: Buffer }> {
  if (received.length < 5) return { kind: 'incomplete' }
  const kind = received.toString('latin1', 0, 1)
  const length = received.readUInt32BE(1)
  if ((kind !== 'R' && kind !== 'E') || length < 4 || length > messageBytesMax)
    return { kind: 'mismatch', why: `not a PostgreSQL server: ${show(received)}` }
  if (received.length < 1 + length) return { kind: 'incomplete' }
  const [body, rest] = [received.subarray(5, 1 + length), received.subarray(1 + length)]
  return { kind: 'match', value: { kind, body }, rest }
}

/** Of an error: each a letter and a string that ends with a zero octet. */
const fieldsOf = (body: Buffer): ReadonlyMap<string, string> =>
  new Map(
    body
      .toString()
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  )
