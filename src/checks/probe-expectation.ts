/** Judges an answer while it arrives: right, wrong, or not decided yet. */
import type { Expectation } from '../base/probe.ts'

/** An answer that is longer has no end that is worth waiting for. */
export const answerBytesMax = 65_536
const shownMax = 60

/** `rest`: what came after the match, for the next expectation. `wrong`: in the operator's words. */
export type Judgement =
  | { readonly kind: 'right'; readonly rest: Buffer }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'open' }

export function judge(what: Expectation, answer: Buffer): Judgement {
  const judgement = byKind(what, answer)
  if (judgement.kind !== 'open' || answer.length < answerBytesMax) return judgement
  return { kind: 'wrong', why: `${describe(what)} not within ${answerBytesMax} bytes` }
}

function byKind(what: Expectation, answer: Buffer): Judgement {
  switch (what.kind) {
    case 'octets': {
      const at = answer.indexOf(what.octets)
      if (at < 0) return { kind: 'open' }
      return { kind: 'right', rest: answer.subarray(at + what.octets.length) }
    }
    case 'pattern': {
      if (!new RegExp(what.source, 's').test(answer.toString())) return { kind: 'open' }
      // Where a match ends in octets is not known; what follows is another answer.
      return { kind: 'right', rest: Buffer.alloc(0) }
    }
    case 'line': {
      const end = answer.indexOf(10)
      if (end < 0) return { kind: 'open' }
      const line = answer.subarray(0, end).toString().trimEnd()
      if (new RegExp(what.source).test(line))
        return { kind: 'right', rest: answer.subarray(end + 1) }
      return { kind: 'wrong', why: `answered ${show(answer.subarray(0, end))}` }
    }
  }
}

/** The connection ended, or the time did, before the answer was decided. */
export const unanswered = (what: Expectation, answer: Buffer): string =>
  answer.length === 0
    ? 'closed without an answer'
    : `${describe(what)} is not in the answer ${show(answer)}`

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
