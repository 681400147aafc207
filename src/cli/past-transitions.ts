/** Every transition and claim that is still known: what is kept on the disk and what the daemon has in its memory. */
import { textOf } from '../base/errors.ts'
import {
  ControlError,
  requestClaims,
  requestHistory,
  requestTransitions,
} from '../control/client.ts'
import {
  claimsOf,
  type KeptPage,
  type KeptQuery,
  type KeptTransition,
  transitionsOf,
} from '../report/kept.ts'
import { type AllTold, joined, remembered, rememberedClaims, type Told } from '../report/past.ts'
import { newestClaims } from '../report/past-claim.ts'
import { claimsPage } from '../surfaces/history/claims-file.ts'
import { readPage } from '../surfaces/history/files.ts'
import { historyDirectoryOf } from './history-directory.ts'
import { daemonSocket } from './trusted-directory.ts'

export type Past = AllTold & {
  /** Of the instances, where a daemon runs. */
  readonly states: ReadonlyMap<string, string>
  /** What the operator has to know of the answer. */
  readonly notes: readonly string[]
}

export type Wanted = {
  readonly runDir: string
  /** The files there, and no daemon; null: as the daemon has it. */
  readonly directory: string | null
  readonly name: string | null
  readonly sinceMs: number
  readonly untilMs: number
}

/** Throws ControlError when neither a daemon nor a file tells anything. */
export async function pastTransitions(wanted: Wanted): Promise<Past> {
  const { directory, runDir } = wanted
  if (directory !== null) return { ...fromFiles(directory, wanted), states: new Map() }
  try {
    return await fromDaemon(daemonSocket(runDir, 'read'), wanted)
  } catch (error) {
    const usual = historyDirectoryOf(runDir, null)
    if (!(error instanceof ControlError) || error.failure !== 'unreachable' || usual === null)
      throw error
    const all = fromFiles(usual, wanted)
    if (all.told.length === 0 && all.claims.length === 0) throw error
    const notes = [`${error.message}; this is from ${usual}`, ...all.notes]
    return { ...all, states: new Map(), notes }
  }
}

async function fromDaemon(socket: string, wanted: Wanted): Promise<Past> {
  const live = await requestHistory(socket)
  const states = new Map(live.map(({ name, state }) => [name, state]))
  const recent = remembered(live, wanted)
  const claims = rememberedClaims(
    live.map((it) => ({ name: it.name, claims: it.claims ?? [] })),
    wanted,
  )
  try {
    const kept = await pages((query) => requestTransitions(socket, query), wanted)
    const earlier = await claimsOr(requestClaims(socket, wanted))
    const all = { told: joined(kept, recent), claims: newestClaims([...earlier.claims, ...claims]) }
    return { ...all, states, notes: earlier.notes }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const all = { told: joined([], recent), claims }
    return { ...all, states, notes: [`since its start only: ${error.message}`] }
  }
}

type Claims = Pick<Past, 'claims' | 'notes'>

/** Without them the transitions are told all the same. A daemon that is older than this program keeps none. */
async function claimsOr(asked: Promise<KeptPage>): Promise<Claims> {
  try {
    return { claims: claimsOf((await asked).lines), notes: [] }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return error.failure === 'protocol' ? { claims: [], notes: [] } : noClaims(error)
  }
}

const noClaims = (error: unknown): Claims => ({
  claims: [],
  notes: [`earlier claims of other machines are not told: ${textOf(error)}`],
})

function claimsIn(directory: string, wanted: Wanted): Claims {
  try {
    return { claims: claimsOf(claimsPage(directory, wanted)), notes: [] }
  } catch (error) {
    return noClaims(error)
  }
}

function fromFiles(directory: string, wanted: Wanted): Omit<Past, 'states'> {
  const told: Told[] = []
  try {
    for (let query: KeptQuery | null = first(wanted); query !== null; ) {
      const page = readPage(directory, query)
      told.push(...transitionsOf(page))
      query = page.next === null ? null : { ...query, after: page.next }
    }
    return { told, ...claimsIn(directory, wanted) }
  } catch (error) {
    throw new ControlError('unreachable', `${directory}: ${textOf(error)}`)
  }
}

async function pages(
  ask: (query: KeptQuery) => Promise<KeptPage>,
  wanted: Wanted,
): Promise<readonly KeptTransition[]> {
  const told: KeptTransition[] = []
  for (let query: KeptQuery | null = first(wanted); query !== null; ) {
    const page = await ask(query)
    told.push(...transitionsOf(page))
    query = page.next === null ? null : { ...query, after: page.next }
  }
  return told
}

const first = ({ name, sinceMs, untilMs }: Wanted): KeptQuery => ({
  ...{ name, sinceMs, untilMs },
  after: 0,
})
