/**
 * The daemon's end of a control socket. A process that may open the socket (mode 0600: the daemon's user, 0660: also its
 * group) may ask what rights.ts permits there; what it sends is still bounded in size, in time and in number, so a forgotten or broken client costs one
 * place in `controlConnectionsMax` for a few seconds and nothing else.
 */
import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { OpError, textOf } from '../base/errors.ts'
import {
  controlConnectionsMax,
  controlFrameBytesMax,
  controlRequestBytesMax,
  controlStreamsMax,
} from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { ReloadResult } from '../daemon/types.ts'
import type { UpgradeResult } from '../daemon/upgrade-first.ts'
import type { UpgradeOrder } from '../daemon/upgrades.ts'
import type { HandOver } from '../report/hand-over.ts'
import type { ClaimsQuery, KeptPage, KeptQuery } from '../report/kept.ts'
import type { Observation } from '../report/observation.ts'
import type { Status } from '../report/status.ts'
import { isAnswered } from '../sockets/answered.ts'
import type { EventFeed } from './event-feed.ts'
import { streamEvents } from './event-stream.ts'
import {
  encodeFrame,
  FrameReader,
  protocolVersion,
  type Read,
  type Request,
  type Response,
  readRequest,
  unknownName,
  unknownVerb,
} from './protocol.ts'
import { notPermitted, type Right, refusalOf } from './rights.ts'

export type ControlHandlers = {
  status(): Status | Promise<Status>
  reload(force: boolean): Promise<ReloadResult>
  failover(name: string): Promise<readonly HandOver[]>
  drain(): Promise<readonly HandOver[]>
  resume(name: string | null): readonly string[]
  observe(): Observation
  /** Throws when no check has that name. */
  results(name: string): Uint8Array
  /** Throws when no push check has that name. `failure`: why it is not good. */
  push(name: string, failure: string | null): void
  /** What is kept over restarts, a page. Rejects with the reason why it cannot be told. */
  transitions(query: KeptQuery): Promise<KeptPage>
  claims(query: ClaimsQuery): Promise<KeptPage>
  readonly events: Pick<EventFeed, 'subscribe'>
  /** Rejects with the reason: this process goes on. */
  upgrade(order: UpgradeOrder): Promise<UpgradeResult>
  /** Called after an upgrade, when the client has been answered. */
  left(): void
  /** Called after the client has been answered; begins the stop and returns. */
  stop(): void
}

export type ControlTimes = {
  /** From the connection, or the answer before, to the end of a request. */
  readonly requestMs: number
  /** For the handler. A reload that takes longer goes on, only its client is told to ask again. */
  readonly handlerMs: number
  /** For the client to take the answer. */
  readonly answerMs: number
}

export type ControlOptions = {
  readonly path: string
  readonly handlers: ControlHandlers
  readonly log: Log
  readonly times?: ControlTimes
  /** What may be asked there; absent: everything, and the socket is the daemon's user's alone. */
  readonly right?: Right
  /** The group that may open it; absent: the daemon's user alone. */
  readonly gid?: number
}

export type Control = {
  /** Closes every connection and removes the socket. */
  close(): Promise<void>
  /** Takes no more connections and removes the socket, so that another process can be asked there. */
  leave(): void
}

const usualTimes: ControlTimes = { requestMs: 10_000, handlerMs: 60_000, answerMs: 5_000 }
/** sun_path of sockaddr_un, less its final zero. */
const pathBytesMax = 107

/**
 * Listens. A socket that a dead daemon left is replaced. Throws OpError: EADDRINUSE when a living daemon answers
 * there, EEXIST when the path is something else than a socket, ENAMETOOLONG beyond 107 octets.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { path, log } = options
  await clearTheWay(path)
  const times = options.times ?? usualTimes
  const sockets = new Set<Socket>()
  const streams = { open: 0 }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    void serve(socket, {
      ...{ handlers: options.handlers, times, log, streams },
      right: options.right ?? 'owner',
    })
  })
  server.maxConnections = controlConnectionsMax
  server.on('drop', () => log.warn('control: too many connections, one was turned away'))
  await listen(server, path)
  if (options.gid !== undefined) giveTo(options.gid, path, server)
  server.on('error', (error) => log.error(`control: ${error.message}`))
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
    leave: () => void server.close(),
  }
}

/** bind(2) happens inside `listen`, in this turn of the loop, so the umask covers it and nothing else. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new OpError('bind', error.code ?? 'EIO', path)),
    )
    server.once('listening', () => {
      server.removeAllListeners('error')
      resolve()
    })
    const before = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(before)
    }
  })
}

/** Until then it was the daemon's user's alone. Throws OpError. */
function giveTo(gid: number, path: string, server: Server): void {
  try {
    chownSync(path, -1, gid)
    chmodSync(path, 0o660)
  } catch (error) {
    server.close()
    throw new OpError('chown', codeOf(error), path)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'EIO'

async function clearTheWay(path: string): Promise<void> {
  if (Buffer.byteLength(path) > pathBytesMax) throw new OpError('bind', 'ENAMETOOLONG', path)
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw new OpError('bind', 'EEXIST', `${path} is not a socket`)
  if (await isAnswered(path)) {
    throw new OpError('bind', 'EADDRINUSE', `a vipd is already running with ${path}`)
  }
  unlinkSync(path)
}

type Serving = {
  readonly handlers: ControlHandlers
  readonly times: ControlTimes
  readonly log: Log
  readonly right: Right
  /** Readers of events, of all connections. */
  readonly streams: { open: number }
}

/** One connection: one request at a time; what the client sends meanwhile waits in the kernel. */
async function serve(socket: Socket, serving: Serving): Promise<void> {
  const { times } = serving
  const reader = new FrameReader(controlRequestBytesMax)
  let timer = setTimeout(() => socket.destroy(), times.requestMs)
  const restart = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => socket.destroy(), ms)
  }
  const send = async (response: Response) => {
    restart(times.answerMs)
    await written(socket, encodeAnswer(response))
    restart(times.requestMs)
  }
  try {
    for await (const chunk of socket) {
      const bodies = reader.push(chunk as Buffer)
      for (const body of bodies ?? []) {
        clearTimeout(timer)
        const next = await takeRequest(socket, body, send, serving)
        if (next === 'over') return
      }
      if (bodies === null) return await refuse(send, 'frame-too-large')
    }
  } catch {
    // The client went away, or was dropped above: there is no reader for an answer.
  } finally {
    clearTimeout(timer)
    socket.destroySoon()
  }
}

/** 'over': nothing more is read of this connection. */
async function takeRequest(
  socket: Socket,
  body: Buffer,
  send: (response: Response) => Promise<void>,
  serving: Serving,
): Promise<'goes-on' | 'over'> {
  const request = readRequest(body)
  if (!request.ok && request.why !== unknownVerb) {
    await refuse(send, request.why)
    return 'over'
  }
  if (!request.ok) {
    await send(unknownTo(request))
    return 'goes-on'
  }
  const { verb } = request.value
  const permitted = refusalOf(verb, serving.right) === null
  if (verb === 'events' && permitted) {
    await stream(socket, request.value, serving)
    return 'over'
  }
  await send(await respond(request.value, serving))
  if (verb === 'stop' && permitted) serving.handlers.stop()
  if (verb === 'upgrade' && permitted) serving.handlers.left()
  return 'goes-on'
}

async function respond(request: Request, { handlers, times, log, right }: Serving) {
  const { id, verb } = request
  const refusal = refusalOf(verb, right)
  if (refusal === null) return answer(request, handlers, times.handlerMs, log)
  log.warn(`control: refused ${verb} on a socket of a group`, { right })
  return { id, ok: false, code: notPermitted, error: refusal } as const
}

/** Of a verb that a newer client knows. */
const unknownTo = ({
  id,
  verb,
}: Extract<Read<Request>, { why: typeof unknownVerb }>): Response => ({
  id,
  ok: false,
  code: unknownVerb,
  error: `this daemon does not know ${verb} (protocol ${protocolVersion}); a newer vipd asks, and will be answered once the daemon has been restarted`,
})

/** The connection is the reader's from now on, until it ends. */
async function stream(socket: Socket, { id }: Request, serving: Serving): Promise<void> {
  const { handlers, streams, times } = serving
  if (streams.open >= controlStreamsMax) {
    const error = `${controlStreamsMax} programs read events already; no more can`
    return await written(socket, encodeAnswer({ id, ok: false, code: 'too-many-readers', error }))
  }
  streams.open += 1
  try {
    await streamEvents(socket, id, handlers.events, times.answerMs)
  } finally {
    streams.open -= 1
  }
}

const refuse = (send: (response: Response) => Promise<void>, why: string) =>
  send({ id: 0, ok: false, code: why, error: `not a control request: ${why}` })

const written = (socket: Socket, bytes: Buffer) =>
  new Promise<void>((resolve, reject) => {
    socket.once('close', reject)
    socket.write(bytes, (error) => {
      socket.removeListener('close', reject)
      if (error) reject(error)
      else resolve()
    })
  })

function encodeAnswer(response: Response): Buffer {
  try {
    return encodeFrame(response, controlFrameBytesMax)
  } catch (error) {
    const { id } = response
    return encodeFrame(
      { id, ok: false, code: 'too-large', error: `the answer: ${textOf(error)}` },
      controlFrameBytesMax,
    )
  }
}

async function answer(
  request: Request,
  handlers: ControlHandlers,
  handlerMs: number,
  log: Log,
): Promise<Response> {
  const { id } = request
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time; it may still happen')), handlerMs)
  })
  try {
    const result = await Promise.race([handle(request, handlers), late])
    return { id, ok: true, result }
  } catch (error) {
    const code = error instanceof UnknownName ? unknownName : 'failed'
    // What the client alone can mend, or wait for, is no news for the log.
    const expected = code === unknownName || error instanceof NotYet
    log[expected ? 'debug' : 'error'](`control: ${request.verb} failed: ${textOf(error)}`)
    return { id, ok: false, code, error: textOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

async function handle(request: Request, handlers: ControlHandlers): Promise<unknown> {
  switch (request.verb) {
    case 'ping':
      return { pid: process.pid, protocol: protocolVersion }
    case 'stop':
      return { pid: process.pid }
    case 'events':
      throw new Error('events are a stream')
    case 'transitions':
      return handlers.transitions(keptQuery(request))
    case 'claims':
      return handlers.claims(keptQuery(request))
    case 'status':
      return handlers.status()
    case 'history':
      return history(await handlers.status(), request.name)
    case 'reload':
      return handlers.reload(request.force === true)
    case 'failover':
      if (request.name === undefined) throw new Error('failover needs the name of an instance')
      return handlers.failover(request.name)
    case 'drain':
      return handlers.drain()
    case 'upgrade':
      return handlers.upgrade(upgradeOrder(request))
    case 'resume':
      return handlers.resume(request.name ?? null)
    case 'observe':
      return request.name === undefined ? handlers.observe() : handlers.results(request.name)
    case 'push':
      if (request.name === undefined) throw new Error('push needs the name of a check')
      return handlers.push(request.name, request.text ?? null)
  }
}

function upgradeOrder({ program = [], force }: Request): UpgradeOrder {
  const [file, ...args] = program
  if (file === undefined || args.length === 0)
    throw new Error('upgrade needs the program that shall go on')
  return { file, args, leaveParent: force === true }
}

const keptQuery = ({ name, after, since, until }: Request): KeptQuery => ({
  name: name ?? null,
  after: after ?? 0,
  sinceMs: since ?? 0,
  untilMs: until ?? Number.MAX_SAFE_INTEGER,
})

/** Thrown by a handler: in a moment there is an answer. */
export class NotYet extends Error {}

/** A question about something that the configuration does not have. */
class UnknownName extends Error {}

/** Throws UnknownName when there is no instance of that name. */
function history(status: Status, name: string | undefined) {
  const chosen = status.instances.filter((i) => name === undefined || i.name === name)
  if (name !== undefined && chosen.length === 0)
    throw new UnknownName(`no instance is called ${name}`)
  return chosen.map(({ name, state, history: entries, claims }) => ({
    ...{ name, state, history: entries },
    claims: claims.history,
  }))
}
