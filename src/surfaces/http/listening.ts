/** One address that is served: its server, its bounds, and the way of a request from the socket to its route. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { ListenOptions } from 'node:net'
import { hostname } from 'node:os'
import { textOf } from '../../base/errors.ts'
import { type HttpListener, httpAddressText } from '../../config/http.ts'
import { Refusal, refuse, stalledMs } from './answers.ts'
import { type ListenerFiles, readFiles, versionOf } from './files.ts'
import { foreign, rightOf, Sessions } from './guard.ts'
import { routes, type Shared } from './routes.ts'
import { openSocketFile, type SocketFile } from './socket-file.ts'

/** A hundred that listen to events, and some that ask. */
const connectionsMax = 128
const headerBytesMax = 8 * 1024
const bodyBytesMax = 4 * 1024
/** For the head, and for all of a request. */
const headMs = 5_000
const requestMs = 10_000
const keepAliveMs = 5_000
/** Of an address that is closed. */
const answeringMs = 500

const bounds = {
  maxHeaderSize: headerBytesMax,
  headersTimeout: headMs,
  requestTimeout: requestMs,
  keepAliveTimeout: keepAliveMs,
  connectionsCheckingInterval: 1_000,
}

export class Listening {
  readonly listener: HttpListener
  readonly where: string
  readonly #shared: Shared
  readonly #server: Server | TlsServer
  readonly #sessions = new Sessions()
  readonly #names: ReadonlySet<string>
  #files: ListenerFiles
  #socket: SocketFile | null = null

  /** Rejects with an Error that says why nothing is served there. */
  static async open(listener: HttpListener, shared: Shared): Promise<Listening> {
    const it = new Listening(listener, readFiles(listener), shared)
    await it.#listen()
    return it
  }

  private constructor(listener: HttpListener, files: ListenerFiles, shared: Shared) {
    this.listener = listener
    this.where = httpAddressText(listener.address)
    this.#files = files
    this.#shared = shared
    this.#names = namesOf(listener)
    const take = (request: IncomingMessage, response: ServerResponse) =>
      void this.#take(request, response)
    this.#server =
      files.tls === null
        ? createServer(bounds, take)
        : createTlsServer(
            {
              ...bounds,
              ...files.tls,
              minVersion: 'TLSv1.2',
              requestCert: files.tls.ca !== undefined,
              rejectUnauthorized: files.tls.ca !== undefined,
            },
            take,
          )
    this.#server.maxConnections = connectionsMax
    this.#server.on('connection', (socket) => socket.setTimeout(stalledMs))
  }

  /**
   * The files again, when one has changed: a new token, a new certificate. Sessions of the old tokens end. A sentence
   * that says what is wrong with them; the old ones stay in use then. null: all is well.
   */
  refresh(): { readonly changed: boolean; readonly why: string | null } {
    if (versionOf(this.listener) === this.#files.version) return { changed: false, why: null }
    try {
      const files = readFiles(this.listener)
      if (files.tls !== null && 'setSecureContext' in this.#server)
        this.#server.setSecureContext(files.tls)
      this.#files = files
      this.#sessions.close()
      return { changed: true, why: null }
    } catch (error) {
      this.#files = { ...this.#files, version: versionOf(this.listener) }
      return { changed: true, why: textOf(error) }
    }
  }

  /** What is being answered, as the order that leads to this, gets its answer; what never ends is cut off. */
  async close(): Promise<void> {
    const patience = setTimeout(() => this.#server.closeAllConnections(), answeringMs)
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    clearTimeout(patience)
    this.#socket?.remove()
  }

  async #listen(): Promise<void> {
    const { address } = this.listener
    const listen = (at: ListenOptions) => listening(this.#server, at)
    if (address.kind === 'tcp') await listen({ host: address.host, port: address.port })
    else this.#socket = await openSocketFile(address, (path) => listen({ path }))
    this.#server.on('error', () => undefined)
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      await this.#serve(request, response)
    } catch (error) {
      if (error instanceof Refusal) refuse(response, error)
      else {
        refuse(response, new Refusal(500, 'failed', 'this is a bug: the log has it'))
        throw error
      }
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method = 'GET' } = request
    const asked = {
      host: headers.host,
      origin: headers.origin,
      authorization: headers.authorization,
      cookie: headers.cookie,
    }
    const why = foreign(asked, this.#names)
    if (why !== null) throw new Refusal(403, 'foreign', why)
    const url = urlOf(request)
    const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
    if (route === undefined) throw new Refusal(404, 'not-found', `nothing is at ${url.pathname}`)
    if (!route.methods.includes(method)) {
      const allow = { Allow: route.methods.join(', ') }
      throw new Refusal(405, 'bad-method', `${url.pathname} takes ${allow.Allow}`, allow)
    }
    const { tokens } = this.#files
    const right = rightOf(asked, tokens, this.#sessions)
    requireRight(right, route.needs, tokens.act !== null)
    const body = method === 'POST' ? await readBody(request) : null
    await route.serve(
      {
        ...{ request, response, url, right, tokens },
        sessions: this.#sessions,
        secure: this.#files.tls !== null,
        by: this.#clientOf(request),
        body: async () => parseBody(request, body ?? ''),
      },
      this.#shared,
    )
  }

  #clientOf({ socket }: IncomingMessage): string {
    const { remoteAddress } = socket
    return remoteAddress === undefined ? this.where : `${remoteAddress} at ${this.where}`
  }
}

function requireRight(right: 'none' | 'read' | 'act', needs: typeof right, canAct: boolean): void {
  const order = ['none', 'read', 'act']
  if (order.indexOf(right) >= order.indexOf(needs)) return
  const challenge = { 'WWW-Authenticate': 'Bearer realm="vipd"' }
  if (needs === 'act' && !canAct)
    throw new Refusal(
      403,
      'no-actions',
      'nothing can be ordered here: vipd_http has no action_token',
    )
  if (right === 'none')
    throw new Refusal(401, 'no-token', `a token to ${needs} is needed`, challenge)
  throw new Refusal(403, 'no-right', 'this token may read and not act')
}

/** A request target that is no path (a proxy's, say) is none of ours. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  try {
    if (url.startsWith('/')) return new URL(url, 'http://vipd')
  } catch {
    // Not a path either.
  }
  throw new Refusal(400, 'bad-target', 'the target of a request is a path')
}

/** Throws Refusal when it is too long. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bodyBytesMax)
      throw new Refusal(413, 'too-large', `a body has at most ${bodyBytesMax} octets`, {
        Connection: 'close',
      })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** No form of another page can send this type without asking first. */
function parseBody(request: IncomingMessage, body: string): Readonly<Record<string, unknown>> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new Refusal(415, 'bad-type', 'send Content-Type: application/json')
  if (body === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new Refusal(400, 'bad-body', 'the body is no JSON object')
}

function namesOf({ address, names }: HttpListener): ReadonlySet<string> {
  const own = address.kind === 'tcp' ? [address.host, hostname().toLowerCase()] : []
  return new Set([...own, ...names])
}

const listening = (server: Server | TlsServer, at: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
