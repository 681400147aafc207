/** Whether the host behind an address lives: one TCP segment to the discard port, which a host refuses or takes. */
import { connect } from 'node:net'
import type { HostFact } from '../facts.ts'
import { runForJson } from './read.ts'

const discardPort = 9
const answerMs = 1_000
/** Of one look; more have to be asked about by hand. */
const neighboursMax = 16

export async function askNeighbours(addresses: readonly string[]): Promise<HostFact['neighbours']> {
  const asked = [...new Set(addresses)].slice(0, neighboursMax)
  const refused = await Promise.all(asked.map(answersTcp))
  const resolved = resolvedNeighbours()
  return asked.map((address, i) => ({
    address,
    answers: refused[i] === true || resolved.has(address),
  }))
}

/** A refusal is an answer. */
function answersTcp(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: discardPort })
    const done = (answers: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answers)
    }
    const timer = setTimeout(() => done(false), answerMs)
    socket.once('connect', () => done(true))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'))
  })
}

/** A firewall keeps the segment, not ARP: those that have just been found. */
function resolvedNeighbours(): ReadonlySet<string> {
  const ran = runForJson('ip', ['-j', 'neigh', 'show', 'nud', 'reachable'])
  const rows = 'json' in ran ? (ran.json as readonly { readonly dst?: string }[]) : []
  return new Set(rows.flatMap(({ dst }) => dst ?? []))
}
