/** What is served where, and what each asks for. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LatestQuery } from '../../report/kept.ts'
import { summaryOf } from '../../report/pair.ts'
import { type RecentNames, recentNamesMax } from '../../report/recent.ts'
import { statusSchema } from '../../report/schema.ts'
import type { Snapshot, Snapshots } from '../feed/snapshots.ts'
import type { TransitionExemplars } from '../metrics/exemplars.ts'
import { contentTypes, formatFor } from '../metrics/exposition.ts'
import { metricsText } from '../metrics/metrics.ts'
import type { LoopDelay } from '../metrics/process-names.ts'
import { answer, type Body, beginEvents, json, jsonBytes, Refusal, text } from './answers.ts'
import { cookieName, type Right, rightOfToken, type Sessions, type Tokens } from './guard.ts'
import { type History, historyOf, latestQuery } from './history.ts'
import { madeOnce, statusBytes } from './made-once.ts'
import type { Order, Outcome } from './messages.ts'
import { answerFile, pageFiles } from './page-files.ts'
import type { Peers } from './peers.ts'
import { processFacts } from './process-facts.ts'
import { readiness, readyStates } from './readiness.ts'
import type { Streams } from './streams.ts'

/** What all addresses share. */
export type Shared = {
  readonly snapshots: Snapshots
  readonly streams: Streams
  readonly peers: Peers
  /** Of the main thread, before the last status. */
  loopDelay(): LoopDelay | null
  readonly exemplars: TransitionExemplars
  /** Resolves when the daemon has carried it out, or refused to. */
  carryOut(order: Order): Promise<Outcome>
  /** Resolves with null when too many ask. */
  recent(names: RecentNames): Promise<Outcome | null>
  /** The same; of a KeptPage. */
  kept(query: LatestQuery): Promise<Outcome | null>
}

/** Of one request. */
export type Asking = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly right: Right
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly secure: boolean
  /** For the log. */
  readonly by: string
  /** The body as JSON; an empty one is an empty object. Throws Refusal. */
  body(): Promise<Readonly<Record<string, unknown>>>
}

type Route = {
  readonly needs: Right
  readonly methods: readonly string[]
  readonly serve: (asking: Asking, shared: Shared) => Promise<void> | void
}

const get = (needs: Right, serve: Route['serve']): Route => ({
  needs,
  methods: ['GET', 'HEAD'],
  serve,
})
const post = (needs: Right, serve: Route['serve']): Route => ({ needs, methods: ['POST'], serve })

const verbs = ['drain', 'resume', 'failover', 'reload', 'check'] as const

/** Health is for probes that carry no token; it tells states and reasons, no more. */
export const routes: Readonly<Record<string, Route>> = {
  ...Object.fromEntries(
    pageFiles().map((file) => [
      file.path,
      get('none', ({ request, response }) => answerFile(request, response, file)),
    ]),
  ),
  '/healthz': get('none', healthz),
  '/readyz': get('none', readyz),
  '/metrics': get('read', metrics),
  '/api/v1/status': get('read', status),
  '/api/v1/history': get('read', history),
  '/api/v1/events': get('read', events),
  '/api/v1/schema.json': get('none', ({ response }) => answer(response, 200, json(statusSchema))),
  '/api/v1/summary': get('read', async ({ response }, shared) =>
    answer(response, 200, json(summaryOf((await snapshotOf(shared)).status))),
  ),
  '/api/v1/pair': get('read', async ({ response }, shared) => {
    await shared.peers.fresh()
    answer(response, 200, json(shared.peers.pair((await snapshotOf(shared)).status)))
  }),
  '/api/v1/recent': get('read', recent),
  '/api/v1/session': {
    ...{ needs: 'none', methods: ['GET', 'HEAD', 'POST'] },
    serve: (asking) => (asking.request.method === 'POST' ? session(asking) : ownRight(asking)),
  },
  ...Object.fromEntries(
    verbs.map((verb) => [
      `/api/v1/${verb}`,
      post('act', (asking, shared) => act(verb, asking, shared)),
    ]),
  ),
}

async function snapshotOf({ snapshots }: Shared): Promise<Snapshot> {
  const snapshot = await snapshots.fresh()
  if (snapshot !== null) return snapshot
  throw new Refusal(503, 'silent', 'the deciding part of the daemon does not answer')
}

async function healthz({ response }: Asking, shared: Shared): Promise<void> {
  const { status } = await snapshotOf(shared)
  answer(response, 200, text(`ok: vipd ${status.version} on ${status.host}`))
}

async function readyz({ response, url }: Asking, shared: Shared): Promise<void> {
  const state = url.searchParams.get('state')
  const instance = url.searchParams.get('instance')
  if (state !== null && !readyStates.has(state.toLowerCase()))
    throw new Refusal(400, 'bad-state', `state is one of ${[...readyStates].join(', ')}`)
  const { status } = await snapshotOf(shared)
  const found = readiness(status, { state, instance })
  if (found === null) throw new Refusal(404, 'unknown-name', `no instance is called ${instance}`)
  answer(response, found.ready ? 200 : 503, text(found.why))
}

async function metrics({ request, response }: Asking, shared: Shared): Promise<void> {
  const { status, madeMs: atMs } = await snapshotOf(shared)
  const format = formatFor(request.headers.accept)
  const bytes = madeOnce(status, format, () => {
    const facts = processFacts(shared.loopDelay())
    return metricsText({ status, facts, atMs, exemplarOf: shared.exemplars.of }, format)
  })
  answer(response, 200, { type: contentTypes[format], bytes, headers: { Vary: 'Accept' } })
}

async function status({ response }: Asking, shared: Shared): Promise<void> {
  answer(response, 200, jsonBytes(statusBytes((await snapshotOf(shared)).status)))
}

async function history({ response, url }: Asking, shared: Shared): Promise<void> {
  const query = latestQuery(url.searchParams, Date.now())
  const kept = await shared.kept(query)
  // Made after it: what happened meanwhile is in the memory.
  const past = historyOf((await snapshotOf(shared)).status, query, kept)
  if (past === null)
    throw new Refusal(404, 'unknown-name', `no instance is called ${query.name}, nor was`)
  answer(response, 200, { ...json(past.instances), headers: historyHeaders(url, past) })
}

/** The body is what `vipd history --json` prints: what there is to say of it is said here. */
function historyHeaders(
  { searchParams }: URL,
  { older, memoryOnly }: History,
): Readonly<Record<string, string>> {
  const next = new URLSearchParams(searchParams)
  next.set('before', String(older))
  return {
    'Vipd-History': memoryOnly === null ? 'kept' : `memory; ${memoryOnly.replace(/[^ -~]/g, '?')}`,
    ...(older === null ? {} : { Link: `</api/v1/history?${next}>; rel="next"` }),
  }
}

async function events({ request, response }: Asking, shared: Shared): Promise<void> {
  const { streams } = shared
  if (streams.full) throw new Refusal(503, 'too-many', 'too many listen to the events already')
  const { status } = await snapshotOf(shared)
  if (response.destroyed) return
  request.socket.setTimeout(0)
  beginEvents(response)
  if (request.method === 'HEAD') response.end()
  else streams.add(response, statusBytes(status))
}

/** Of what is named by `instance` and `check`, each as often as wanted, within a bound. */
async function recent({ response, url }: Asking, shared: Shared): Promise<void> {
  const names = {
    instances: url.searchParams.getAll('instance'),
    checks: url.searchParams.getAll('check'),
  }
  if (Math.max(names.instances.length, names.checks.length) > recentNamesMax)
    throw new Refusal(400, 'too-many', `at most ${recentNamesMax} names of a kind at once`)
  const outcome = await shared.recent(names)
  if (outcome === null) throw new Refusal(503, 'too-many', 'too many ask for this at once')
  if (!outcome.ok) throw new Refusal(503, 'silent', outcome.why)
  answer(response, 200, json(outcome.result))
}

/** What the client may do here, and whether anything can be ordered at all: a page asks before it shows buttons. */
function ownRight({ response, right, tokens }: Asking): void {
  answer(response, 200, json({ right, actions: tokens.act !== null, nowMs: Date.now() }))
}

/** A page gives the token once and keeps none: what it is given for it, no script can read. */
async function session(asking: Asking): Promise<void> {
  const { tokens, sessions, response, secure } = asking
  const { token } = await asking.body()
  const right = typeof token === 'string' ? rightOfToken(token, tokens) : 'none'
  if (right === 'none') throw new Refusal(401, 'bad-token', 'that is not the token')
  const cookie = `${cookieName}=${sessions.open(right)}; HttpOnly; SameSite=Strict; Path=/${secure ? '; Secure' : ''}`
  answer(response, 200, { ...json({ right }), headers: { 'Set-Cookie': cookie } })
}

async function act(verb: Order['verb'], asking: Asking, shared: Shared): Promise<void> {
  const { name, force } = await asking.body()
  if (name !== undefined && typeof name !== 'string')
    throw new Refusal(400, 'bad-body', 'name is a text')
  if (name === undefined && (verb === 'failover' || verb === 'check'))
    throw new Refusal(400, 'bad-body', `${verb} needs a name`)
  const order = { verb, name: name ?? null, force: force === true, by: asking.by }
  const outcome = await shared.carryOut(order)
  if (!outcome.ok) throw new Refusal(409, 'refused', outcome.why)
  const body: Body = json({ result: outcome.result ?? null })
  answer(asking.response, 200, body)
}
