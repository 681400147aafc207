/**
 * Regular expressions of the configuration over what others answer. Backtracking can take for ever, and a thread that is
 * in it runs no other check: each match has a bound, and one that reaches it is a wrong answer.
 */
import { createContext, Script } from 'node:vm'
import { ProbeFailure } from './probe-failure.ts'

const boundMs = 50
const holder: { pattern: RegExp; text: string } = { pattern: /(?:)/, text: '' }
const context = createContext(holder)
const script = new Script('pattern.test(text)')

/** Throws a ProbeFailure when it takes longer than 50 ms. */
export function matches(source: string, text: string): boolean {
  holder.pattern = new RegExp(source, 's')
  holder.text = text
  try {
    return script.runInContext(context, { timeout: boundMs }) === true
  } catch {
    throw new ProbeFailure(`/${source}/ takes longer than ${boundMs} ms on this answer`)
  } finally {
    holder.text = ''
  }
}
