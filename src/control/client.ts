/**
 * Asks a daemon over its control socket: one connection, one question, one answer, one deadline for all of it.
 * Its failures are the ones that an operator has to tell apart: no daemon, not allowed, no answer, a refusal.
 */
import { connect, type Socket } from 'node:net'
import { controlFrameBytesMax, controlRequestBytesMax } from '../base/limits.ts'
import { unpackResults } from '../checks/verdict/record.ts'
import type { ReloadResult } from '../daemon/types.ts'
import type { UpgradeResult } from '../daemon/upgrade-first.ts'
import type { DaemonEvent } from '../report/event.ts'
import type { HandOver } from '../report/hand-over.ts'
import type { ClaimsQuery, KeptPage, KeptQuery } from '../report/kept.ts'
import type { Observation, ObservedCheck } from '../report/observation.ts'
import type { PastClaim } from '../report/past-claim.ts'
import type { Status, StatusInstance } from '../report/status.ts'
import { denial } from './denial.ts'
import {
  encodeFrame,
  FrameReader,
  type Request,
  type Response,
  readResponse,
  unknownName,
  unknownVerb,
  type Verb,
} from './protocol.ts'
import { notPermitted, readsOnly } from './rights.ts'

export type ControlFailure =
  /** No daemon listens there. */
  | 'unreachable'
  /** The socket belongs to another user, or does not permit that verb. */
  | 'denied'
  | 'timeout'
  /** What came back is not the protocol. */
  | 'protocol'
  /** The daemon answered, and the answer is no. */
  | 'refused'
  /** It has nothing of the name that was asked for. */
  | 'unknown-name'

export class ControlError extends Error {
  readonly failure: ControlFailure
  /**
   * The path at which nothing that changes anything was asked: no socket is listened to, or a daemon that ended did not
   * answer what only reads. null: it is another failure.
   */
  readonly absent: string | null

  constructor(failure: ControlFailure, message: string, absent: string | null = null) {
    super(message)
    this.name = 'ControlError'
    this.failure = failure
    this.absent = absent
  }
}

/** `claims`: absent of a daemon that is older than they. */
export type History = readonly (Pick<StatusInstance, 'name' | 'state' | 'history'> & {
  readonly claims?: readonly PastClaim[]
})[]

const answerMs = 5_000
/** A reader of events hears something every 2 s. */
const silentMs = 10_000
/** A reload reads files and opens sockets; the daemon itself gives up after a minute. */
const reloadAnswerMs = 65_000

export async function requestStatus(path: string): Promise<Status> {
  const result = await request(path, 'status', { timeoutMs: answerMs })
  if (typeof result === 'object' && result !== null && 'schema' in result && result.schema === 1) {
    return result as Status
  }
  throw new ControlError('protocol', 'the daemon speaks another version of this protocol')
}

/** `force`: a file with mistakes is taken without what is wrong in it. */
export const requestReload = async (path: string, force = false): Promise<ReloadResult> =>
  (await request(path, 'reload', { timeoutMs: reloadAnswerMs, force })) as ReloadResult

/** Takes as long as the protocol does. */
export const requestHandOver = async (
  path: string,
  verb: 'failover' | 'drain',
  name?: string,
): Promise<readonly HandOver[]> =>
  (await request(path, verb, {
    timeoutMs: reloadAnswerMs,
    ...(name === undefined ? {} : { name }),
  })) as readonly HandOver[]

/** What the daemon has seen, with the results of these checks, or of all. */
export async function requestObservation(
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Observation> {
  const observation = (await request(path, 'observe', { timeoutMs: answerMs })) as Observation
  const checks: ObservedCheck[] = []
  for (const check of observation.checks) {
    const { name } = check
    if (!wanted(name)) continue
    const packed = await request(path, 'observe', { timeoutMs: answerMs, name })
    if (!(packed instanceof Uint8Array)) throw new ControlError('protocol', 'results are octets')
    // The octets may lie anywhere in what was received.
    const results = unpackResults(new Float64Array(Uint8Array.from(packed).buffer))
    checks.push({ ...check, results })
  }
  return { ...observation, checks }
}

/** `failure`: why it is not good. */
export async function requestPush(path: string, name: string, failure?: string): Promise<void> {
  const text = failure === undefined ? {} : { text: failure }
  await request(path, 'push', { timeoutMs: answerMs, name, ...text })
}

/** `program`: what shall go on, the file first. */
export const requestUpgrade = async (
  path: string,
  program: readonly string[],
  leaveParent: boolean,
): Promise<UpgradeResult> =>
  (await request(path, 'upgrade', {
    timeoutMs: reloadAnswerMs,
    program,
    ...(leaveParent ? { force: true } : {}),
  })) as UpgradeResult

export const requestResume = async (path: string, name?: string): Promise<readonly string[]> =>
  (await request(path, 'resume', {
    timeoutMs: answerMs,
    ...(name === undefined ? {} : { name }),
  })) as readonly string[]

export const requestHistory = async (path: string, name?: string): Promise<History> =>
  (await request(path, 'history', {
    timeoutMs: answerMs,
    ...(name === undefined ? {} : { name }),
  })) as History

/** A page of what is kept over restarts. Throws ControlError: 'refused' with the reason why it cannot be told. */
export const requestTransitions = async (path: string, query: KeptQuery): Promise<KeptPage> =>
  (await request(path, 'transitions', {
    timeoutMs: answerMs,
    ...(query.name === null ? {} : { name: query.name }),
    after: query.after,
    since: query.sinceMs,
    until: query.untilMs,
  })) as KeptPage

/** Claims of other machines that are kept over restarts. Throws as `requestTransitions` does. */
export const requestClaims = async (path: string, query: ClaimsQuery): Promise<KeptPage> =>
  (await request(path, 'claims', {
    timeoutMs: answerMs,
    ...(query.name === null ? {} : { name: query.name }),
    since: query.sinceMs,
    until: query.untilMs,
  })) as KeptPage

export type EventReader = {
  /**
   * First with what happened of late (`recent`), then at once with what happens. Nothing more is read before the promise that
   * it may return has resolved.
   */
  take(events: readonly DaemonEvent[], recent: boolean): Promise<void> | undefined
  /** Something has been heard of the daemon: at least every few seconds. */
  alive?(): void
}

/**
 * Reads events until the daemon ends it or `signal` does. Rejects with ControlError, also when nothing is heard for
 * `silentMs` of a daemon that sends a sign of life every 2 s; resolves on `signal`.
 */
export function readEvents(path: string, reader: EventReader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const frames = new FrameReader(controlFrameBytesMax)
    let begun = false
    const done = (error: ControlError | null) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.destroy()
      if (error === null) resolve()
      else reject(error)
    }
    const abort = () => done(null)
    const fail = (failure: ControlFailure, message: string, absent: string | null = null) =>
      done(new ControlError(failure, message, absent))
    const silent = () => {
      if (socket.isPaused()) timer.refresh()
      else fail('timeout', `nothing was heard from ${path} for ${silentMs / 1000} s`)
    }
    const timer = setTimeout(silent, silentMs)
    const give = (events: readonly DaemonEvent[], recent: boolean) => {
      const wait = reader.take(events, recent)
      if (wait === undefined) return
      socket.pause()
      void wait.then(() => socket.resume())
    }
    const take = (body: Buffer) => {
      const response = readResponse(body)
      if (!response.ok) return fail('protocol', `${path} speaks something else`)
      if (!response.value.ok) return fail(...refusal(path, 'events', response.value))
      timer.refresh()
      reader.alive?.()
      const { result } = response.value
      if (begun) return give(result as readonly DaemonEvent[], false)
      begun = true
      give((result as { recent: readonly DaemonEvent[] }).recent, true)
    }
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    socket.once('connect', () =>
      socket.write(encodeFrame({ id: 1, verb: 'events' }, controlRequestBytesMax)),
    )
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(...connectFailure(path, 'events', error)),
    )
    socket.on('data', (chunk) => {
      const bodies = frames.push(chunk)
      if (bodies === null) return fail('protocol', `${path} speaks something else`)
      for (const body of bodies) take(body)
    })
    socket.once('close', () => fail('unreachable', `the daemon with ${path} has ended`))
  })
}

/** The `result` of the answer. Throws ControlError. */
export function request(
  path: string,
  verb: Verb,
  options: Omit<Request, 'id' | 'verb'> & { readonly timeoutMs: number },
): Promise<unknown> {
  const { timeoutMs, ...rest } = options
  const frame = encodeFrame({ id: 1, verb, ...rest }, controlRequestBytesMax)
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const done = (act: () => void) => {
      clearTimeout(timer)
      socket.destroy()
      act()
    }
    const fail = (failure: ControlFailure, message: string, absent: string | null = null) =>
      done(() => reject(new ControlError(failure, message, absent)))
    const timer = setTimeout(
      () => fail('timeout', `no answer from ${path} within ${timeoutMs / 1000} s`),
      timeoutMs,
    )
    socket.once('connect', () => socket.write(frame))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(...connectFailure(path, verb, error)),
    )
    onResponse(socket, (response) => {
      const unanswered = socket.bytesRead === 0 && readsOnly(verb)
      if (response === null)
        fail(
          'protocol',
          `${path} closed the connection or speaks something else`,
          unanswered ? path : null,
        )
      else if (response.ok) done(() => resolve(response.result))
      else fail(...refusal(path, verb, response))
    })
  })
}

/** A daemon from before `unknown-verb` closes with id 0. */
function refusal(
  path: string,
  verb: Verb,
  { id, code, error }: Extract<Response, { ok: false }>,
): [ControlFailure, string] {
  if (code === unknownVerb || (id === 0 && code === 'not-a-request'))
    return [
      'protocol',
      `the daemon with ${path} is older than this vipd and does not know ${verb}; it will once it has been restarted`,
    ]
  if (code === notPermitted) return ['denied', error]
  return [code === unknownName ? unknownName : 'refused', error]
}

/** Calls back once: with the first response, or null when the connection ends without one. */
function onResponse(socket: Socket, take: (response: Response | null) => void): void {
  const reader = new FrameReader(controlFrameBytesMax)
  let taken = false
  const once = (response: Response | null) => {
    if (taken) return
    taken = true
    take(response)
  }
  socket.on('data', (chunk) => {
    const bodies = reader.push(chunk)
    const body = bodies?.[0]
    if (bodies !== null && body === undefined) return
    const response = body === undefined ? null : readResponse(body)
    once(response?.ok ? response.value : null)
  })
  socket.once('end', () => once(null))
  socket.once('close', () => once(null))
}

function connectFailure(
  path: string,
  verb: Verb,
  error: NodeJS.ErrnoException,
): [ControlFailure, string, string?] {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return ['unreachable', `no vipd is running with ${path}`, path]
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return ['denied', denial(path, verb)]
  }
  const ended = error.code === 'ECONNRESET' || error.code === 'EPIPE'
  const message = `${path}: ${error.message}`
  return ended && readsOnly(verb) ? ['unreachable', message, path] : ['unreachable', message]
}
