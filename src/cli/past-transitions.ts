/** Every transition that is still known: what is kept on the disk and what the daemon has in its memory. */
import { textOf } from '../base/errors.ts'
import { ControlError, requestHistory, requestTransitions } from '../control/client.ts'
import type { KeptPage, KeptQuery, KeptTransition } from '../report/kept.ts'
import type { StatusTransition } from '../report/status.ts'
import { readPage } from '../surfaces/history/files.ts'
import { historyDirectoryOf } from './history-directory.ts'
import { daemonSocket } from './trusted-directory.ts'

/** `number`: of one that is kept. */
export type Told = StatusTransition & { readonly instance: string; readonly number?: number }

export type Past = {
  /** Oldest first. */
  readonly told: readonly Told[]
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
  if (directory !== null)
    return { told: fromFiles(directory, wanted), states: new Map(), notes: [] }
  try {
    return await fromDaemon(daemonSocket(runDir, 'read'), wanted)
  } catch (error) {
    const usual = historyDirectoryOf(runDir, null)
    if (!(error instanceof ControlError) || error.failure !== 'unreachable' || usual === null)
      throw error
    const told = fromFiles(usual, wanted)
    if (told.length === 0) throw error
    return { told, states: new Map(), notes: [`${error.message}; this is from ${usual}`] }
  }
}

async function fromDaemon(socket: string, wanted: Wanted): Promise<Past> {
  const live = await requestHistory(socket)
  const states = new Map(live.map(({ name, state }) => [name, state]))
  const recent = live
    .flatMap(({ name, history }) => history.map((it): Told => ({ instance: name, ...it })))
    .filter((it) => isWanted(it, wanted))
  try {
    const kept: readonly Told[] = await pages((query) => requestTransitions(socket, query), wanted)
    const there = new Set(kept.map(identity))
    const more = recent.filter((it) => !there.has(identity(it)))
    return { told: inOrder([...kept, ...more]), states, notes: [] }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return { told: inOrder(recent), states, notes: [`since its start only: ${error.message}`] }
  }
}

function fromFiles(directory: string, wanted: Wanted): readonly Told[] {
  const told: Told[] = []
  try {
    for (let query: KeptQuery | null = first(wanted); query !== null; ) {
      const page = readPage(directory, query)
      told.push(...transitionsOf(page))
      query = page.next === null ? null : { ...query, after: page.next }
    }
  } catch (error) {
    throw new ControlError('unreachable', `${directory}: ${textOf(error)}`)
  }
  return told
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

const transitionsOf = ({ lines }: KeptPage): readonly KeptTransition[] =>
  Buffer.from(lines)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KeptTransition)

const identity = ({ instance, at, from, to }: Told): string => [instance, at, from, to].join(' ')

/** Those of one millisecond stay as they are. */
const inOrder = (told: readonly Told[]): readonly Told[] =>
  [...told].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))

function isWanted({ instance, at }: Told, { name, sinceMs, untilMs }: Wanted): boolean {
  const atMs = Date.parse(at)
  return (name === null || instance === name) && atMs >= sinceMs && atMs <= untilMs
}
