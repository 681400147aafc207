/**
 * Tries a login at a MySQL or MariaDB server, without a password. A server that turns the user away is there and
 * takes connections. Merely hanging up on its greeting would count as an error of this host, and after
 * `max_connect_errors` of them the server would not let it in any more.
 * (MySQL internals manual, "Connection Phase"; MariaDB knowledge base, "Connection".)
 */
import type { MysqlProbe } from '../../base/probe.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { open, type ProbeContext } from './connection.ts'
import { show } from './expectation.ts'
import { type Judgement, StreamReader } from './stream-reader.ts'

const protocolVersion = 10
/** CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH. */
const capabilities = 0x00000001 | 0x00000200 | 0x00008000 | 0x00080000
const packetBytesMax = 65_536
const utf8 = 33
const header = { ok: 0x00, switch: 0xfe, error: 0xff }
/** ER_ACCESS_DENIED_ERROR and its kin: a client that is turned away has been answered. */
const turnedAway = new Set([1044, 1045, 1049, 1251, 1698, 1524])

type Packet = { readonly sequence: number; readonly body: Buffer }

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function probeMysql(probe: MysqlProbe, context: ProbeContext): Promise<string> {
  const socket = await open(probe.to, null, context)
  socket.once('data', () => context.passed('first byte'))
  const reader = new StreamReader(socket)
  const greeting = await reader.read(readPacket)
  if (greeting.body[0] === header.error) throw new ProbeFailure(textOfError(greeting.body))
  if (greeting.body[0] !== protocolVersion)
    throw new ProbeFailure(`not a MySQL server: ${show(greeting.body)}`)
  // MariaDB goes by an old MySQL's version first, for replicas that know no other.
  const version = greeting.body
    .toString('latin1', 1, greeting.body.indexOf(0, 1))
    .replace(/^5\.5\.5-/, '')
  socket.write(packet(greeting.sequence + 1, login(probe.user)))
  let verdict = await reader.read(readPacket)
  if (verdict.body[0] === header.switch) {
    // Another way to prove who we are; there is nothing to prove.
    socket.write(packet(verdict.sequence + 1, Buffer.alloc(0)))
    verdict = await reader.read(readPacket)
  }
  // COM_QUIT
  socket.end(packet(0, Buffer.from([1])))
  return judge(verdict.body, version)
}

function judge(body: Buffer, version: string): string {
  if (body[0] === header.ok) return version
  if (body[0] !== header.error) return `${version} (wants more of the user)`
  if (!turnedAway.has(body.readUInt16LE(1))) throw new ProbeFailure(textOfError(body))
  return `${version} (${textOfError(body)})`
}

/** HandshakeResponse41 with an empty password. */
function login(user: string): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(capabilities, 0)
  head.writeUInt32LE(packetBytesMax, 4)
  head.writeUInt8(utf8, 8)
  return Buffer.concat([head, Buffer.from(`${user}\0\0mysql_native_password\0`)])
}

function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUIntLE(body.length, 0, 3)
  head.writeUInt8(sequence & 0xff, 3)
  return Buffer.concat([head, body])
}

function readPacket(received: Buffer): Judgement<Packet> {
  if (received.length < 4) return { kind: 'incomplete' }
  const length = received.readUIntLE(0, 3)
  if (length === 0 || length > packetBytesMax)
    return { kind: 'mismatch', why: `not a MySQL server: ${show(received)}` }
  if (received.length < 4 + length) return { kind: 'incomplete' }
  const value = { sequence: received.readUInt8(3), body: received.subarray(4, 4 + length) }
  return { kind: 'match', value, rest: received.subarray(4 + length) }
}

/** Its number, then perhaps `#` and five characters of SQL state, then the text. */
function textOfError(body: Buffer): string {
  if (body.length < 3) return 'an error without a number'
  const text = body.toString('utf8', 3).replace(/^#.{5}/, '')
  return `${text} (${body.readUInt16LE(1)})`
}
