/** Every transition that is still known: what is kept on the disk and what the daemon has in its memory. */
import { textOf } from '../base/errors.ts'
import { ControlError, requestHistory, requestTransitions } from '../control/client.ts'
import {
  type KeptPage,
  type KeptQuery,
  type KeptTransition,
  transitionsOf,
} from '../report/kept.ts'
import { joined, remembered, type Told } from '../report/past.ts'
import { readPage } from '../surfaces/history/files.ts'
import { historyDirectoryOf } from './history-directory.ts'
import { daemonSocket } from './trusted-directory.ts'

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
  const recent = remembered(live, wanted)
  try {
    const kept = await pages((query) => requestTransitions(socket, query), wanted)
    return { told: joined(kept, recent), states, notes: [] }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    return { told: joined([], recent), states, notes: [`since its start only: ${error.message}`] }
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
