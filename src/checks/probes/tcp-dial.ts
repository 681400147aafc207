/**
 * Is a connection accepted: asked so often that Node's sockets would cost more than the question. One set of attempts
 * serves every check of a thread.
 */
import { isIP } from 'node:net'
import { bindings } from '../../addon/bindings.ts'
import { errnoName } from '../../addon/errno.ts'
import { type Ip, ipBytes } from '../../base/ip.ts'
import type { Endpoint } from '../../base/probe.ts'
import { resolveHost } from '../../programs/resolve.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { describeCode, type ProbeContext } from './connection.ts'

type Decided = (errno: number) => void

class Dialler {
  readonly #attempts = new Map<number, Decided>()
  readonly #set = bindings().openDial((decided) => this.#take(decided))

  /** Tries one address; the first attempt that is given up or decided closes its socket. */
  dial(address: Ip, port: number, opened: ProbeContext['opened']): Promise<number> {
    return new Promise((resolve) => {
      const socket = bindings().dial(this.#set.fd, ipBytes(address), port)
      if (socket < 0) return resolve(-socket)
      this.#attempts.set(socket, resolve)
      opened(() => this.#end(socket, resolve))
    })
  }

  #take(decided: Int32Array): void {
    for (let i = 0; i < decided.length; i += 2) {
      const [socket = -1, errno = 0] = [decided[i], decided[i + 1]]
      const attempt = this.#attempts.get(socket)
      if (attempt === undefined) continue
      this.#end(socket, attempt)
      attempt(errno)
    }
  }

  /** The number may be another attempt's by now. */
  #end(socket: number, attempt: Decided): void {
    if (this.#attempts.get(socket) !== attempt) return
    this.#attempts.delete(socket)
    bindings().hangUp(socket)
  }
}

let dialler: Dialler | null = null

/** Resolves when an address of the host accepts, tried in turn. Rejects with a ProbeFailure. */
export async function accepts(
  { host, port }: Extract<Endpoint, { kind: 'tcp' }>,
  context: ProbeContext,
): Promise<string> {
  dialler ??= new Dialler()
  const addresses = isIP(host) === 0 ? await resolveHost(host, context.timeoutMs) : [host]
  context.passed('resolve')
  let why = `unknown host ${host}`
  for (const address of addresses) {
    const errno = await dialler.dial(address as Ip, port, context.opened)
    if (errno === 0) {
      context.passed('connect')
      return 'connected'
    }
    why = describeCode(errnoName(errno))
  }
  throw new ProbeFailure(why)
}
