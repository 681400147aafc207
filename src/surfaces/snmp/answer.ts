/** What is answered to a request of the master agent (RFC 2741 section 7.2.3). Nothing can be set. */
import { type AgentxBody, type AgentxPdu, agentxError } from '../../wire/agentx.ts'
import type { Binding, SearchRange } from '../../wire/agentx-parts.ts'
import type { Mib } from './tables.ts'

export type Answer = Pick<Extract<AgentxBody, { kind: 'response' }>, 'error' | 'index' | 'bindings'>

/** Of a bulk answer; RFC 2741 section 7.2.3.3 lets a subagent answer with less than was asked for. */
const bindingsMax = 1_000

export const failure = (error: number, index = 0): Answer => ({ error, index, bindings: [] })

const success = (bindings: readonly Binding[]): Answer => ({
  error: agentxError.none,
  index: 0,
  bindings,
})

/** What asks for values; all else is answered without knowing any. */
export type Reading = Extract<AgentxPdu, { kind: 'get' | 'getNext' | 'getBulk' }>

export function answerReading(mib: Mib, pdu: Reading): Answer {
  switch (pdu.kind) {
    case 'get':
      return success(pdu.ranges.map(({ start }) => mib.get(start)))
    case 'getNext':
      return success(pdu.ranges.map((range) => mib.next(range)))
    case 'getBulk':
      return success(bulk(mib, pdu))
  }
}

function bulk(mib: Mib, pdu: Extract<Reading, { kind: 'getBulk' }>): readonly Binding[] {
  const once = pdu.ranges.slice(0, pdu.nonRepeaters).map((range) => mib.next(range))
  let repeated: readonly SearchRange[] = pdu.ranges.slice(pdu.nonRepeaters)
  const all = [...once]
  for (let left = pdu.maxRepetitions; left > 0 && repeated.length > 0; left--) {
    if (all.length + repeated.length > bindingsMax && all.length > once.length) break
    const found = repeated.map((range) => mib.next(range))
    all.push(...found)
    if (found.every(({ value }) => value.type === 'endOfMibView')) break
    repeated = found.map(({ name }, at) => ({
      start: name,
      include: false,
      end: repeated[at]?.end ?? [],
    }))
  }
  return all
}

/** null: nothing is answered. */
export function answerOther({ kind }: AgentxPdu): Answer | null {
  switch (kind) {
    case 'testSet':
      return failure(agentxError.notWritable, 1)
    case 'commitSet':
      return failure(agentxError.commitFailed, 1)
    case 'undoSet':
      return success([])
    // Answers of the master to what was asked of it, and what needs none.
    case 'cleanupSet':
    case 'response':
    case 'close':
      return null
    default:
      return failure(agentxError.requestDenied)
  }
}
