/** An echo request there, an echo reply back (RFC 792, RFC 4443): is a host, say the gateway, reachable. */
import { randomFillSync, randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import { bindings, failureOf, type Watched } from '../../addon/bindings.ts'
import { errnoName } from '../../addon/errno.ts'
import { type Ip, ipBytes } from '../../base/ip.ts'
import type { IcmpProbe } from '../../base/probe.ts'
import { resolveHost } from '../../programs/resolve.ts'
import { checksum } from '../../wire/checksum.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { describeCode, type ProbeContext } from './connection.ts'

/** Resolves with the words of success. Rejects with a ProbeFailure; silence is left to the deadline. */
export async function probeEcho(
  { host, octets }: IcmpProbe,
  context: ProbeContext,
): Promise<string> {
  const [address] = await resolveHost(host, context.timeoutMs)
  if (address === undefined) throw new ProbeFailure(`unknown host ${host}`)
  context.passed('resolve')
  await portFor(isIP(address) === 6 ? 6 : 4).echo(address as Ip, octets, context)
  return 'echo reply'
}

type Types = { readonly request: number; readonly reply: number; readonly unreachable: number }
const types: Readonly<Record<4 | 6, Types>> = {
  4: { request: 8, reply: 0, unreachable: 3 },
  6: { request: 128, reply: 129, unreachable: 1 },
}
const headerBytes = 8
const ipv6HeaderBytes = 40
const tokenBytes = 8

type Waiting = { readonly token: Buffer; settle(failure: ProbeFailure | null): void }

/** One raw socket serves every check of a thread: it receives all replies to the host and knows its own. */
class EchoPort {
  readonly #family: 4 | 6
  readonly #socket: Watched
  readonly #id = randomInt(65_536)
  readonly #waiting = new Map<number, Waiting>()
  #sequence = 0

  constructor(family: 4 | 6) {
    this.#family = family
    this.#socket = bindings().openEcho(family, (messages) => {
      for (const message of messages) this.#received(message)
    })
  }

  echo(address: Ip, octets: number, context: ProbeContext): Promise<void> {
    this.#sequence = (this.#sequence + 1) & 0xffff
    const sequence = this.#sequence
    const token = randomFillSync(Buffer.alloc(Math.max(tokenBytes, octets)))
    context.opened(() => this.#waiting.delete(sequence))
    return new Promise((resolve, reject) => {
      const settle = (failure: ProbeFailure | null) => {
        this.#waiting.delete(sequence)
        if (failure !== null) return reject(failure)
        context.passed('first byte')
        resolve()
      }
      this.#waiting.set(sequence, { token, settle })
      const errno = bindings().sendEcho(
        this.#socket.fd,
        ipBytes(address),
        this.#request(sequence, token),
      )
      if (errno !== 0) settle(new ProbeFailure(describeCode(errnoName(errno))))
    })
  }

  /** For IPv6 the kernel fills in the checksum, which covers the source address. */
  #request(sequence: number, token: Buffer): Buffer {
    const head = Buffer.alloc(headerBytes)
    head.writeUInt8(types[this.#family].request, 0)
    head.writeUInt16BE(this.#id, 4)
    head.writeUInt16BE(sequence, 6)
    const message = Buffer.concat([head, token])
    if (this.#family === 4) message.writeUInt16BE(checksum(message), 2)
    return message
  }

  #received(message: Buffer): void {
    const icmp = this.#family === 4 ? message.subarray(headerLength(message)) : message
    if (icmp.length < headerBytes) return
    const { reply, unreachable } = types[this.#family]
    const type = icmp.readUInt8(0)
    if (type === reply) {
      const waiting = this.#of(icmp)
      if (waiting?.token.equals(icmp.subarray(headerBytes)) === true) waiting.settle(null)
      return
    }
    // An error carries the beginning of what it is about: an IP header and the request.
    const about = icmp.subarray(headerBytes)
    const skip = this.#family === 4 ? headerLength(about) : ipv6HeaderBytes
    const why = type === unreachable ? 'unreachable' : 'too many hops away'
    if (about.length >= skip + headerBytes)
      this.#of(about.subarray(skip))?.settle(new ProbeFailure(`${why} (ICMP ${type}/${icmp[1]})`))
  }

  #of(icmp: Buffer): Waiting | undefined {
    if (icmp.readUInt16BE(4) !== this.#id) return undefined
    return this.#waiting.get(icmp.readUInt16BE(6))
  }
}

const headerLength = (packet: Buffer): number => 4 * ((packet[0] ?? 0) & 0x0f)

const ports = new Map<4 | 6, EchoPort>()

function portFor(family: 4 | 6): EchoPort {
  let port = ports.get(family)
  if (port !== undefined) return port
  try {
    port = new EchoPort(family)
  } catch (error) {
    const code = failureOf(error)
    const why = code === 'EPERM' ? 'icmp needs CAP_NET_RAW' : `icmp: ${code}`
    throw new Error(why)
  }
  ports.set(family, port)
  return port
}
