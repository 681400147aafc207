/** Judges an answer while it arrives: right, wrong, or not decided yet. */
import type { Expectation } from '../../base/probe.ts'
import { matches } from '../verdict/pattern.ts'
import type { Judgement } from './stream-reader.ts'

/** An answer that is longer has no end that is worth waiting for. */
export const answerBytesMax = 65_536
const shownMax = 60

export function judge(what: Expectation, answer: Buffer): Judgement {
  const judgement = byKind(what, answer)
  if (judgement.kind !== 'incomplete' || answer.length < answerBytesMax) return judgement
  return { kind: 'mismatch', why: `${describe(what)} not within ${answerBytesMax} bytes` }
}

function byKind(what: Expectation, answer: Buffer): Judgement {
  switch (what.kind) {
    case 'octets': {
      const at = answer.indexOf(what.octets)
      if (at < 0) return { kind: 'incomplete' }
      return matched(answer.subarray(at + what.octets.length))
    }
    case 'pattern': {
      if (!matches(what.source, answer.toString())) return { kind: 'incomplete' }
      // Where a match ends in octets is not known; what follows is another answer.
      return matched(Buffer.alloc(0))
    }
    case 'line': {
      const end = answer.indexOf(10)
      if (end < 0) return { kind: 'incomplete' }
      const line = answer.subarray(0, end).toString().trimEnd()
      if (new RegExp(what.source).test(line)) return matched(answer.subarray(end + 1))
      return { kind: 'mismatch', why: `answered ${show(answer.subarray(0, end))}` }
    }
  }
}

const matched = (rest: Buffer): Judgement => ({ kind: 'match', value: undefined, rest })

/** The answer ended before it was decided. */
export const unanswered = (what: Expectation, answer: Buffer): string =>
  `${describe(what)} is not in the answer ${show(answer)}`

const describe = (what: Expectation): string =>
  what.kind === 'octets' ? show(Buffer.from(what.octets)) : `/${what.source}/`

/** Printable, and short. */
export function show(octets: Buffer): string {
  const text = octets.subarray(0, shownMax).toString('latin1')
  const printable = text.replaceAll(/[^ -~]/g, (c) =>
    c === '\r' || c === '\n' ? ' ' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `'${printable.trim()}${octets.length > shownMax ? '…' : ''}'`
}
