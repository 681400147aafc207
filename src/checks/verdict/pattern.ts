/**
 * Regular expressions of the configuration over what others answer. Backtracking can take for ever, and a thread that is
 * in it runs no other check: each match has a bound, and one that reaches it is a wrong answer. A thread that a busy host
 * gave no processor meanwhile has not reached it: an answer must not become wrong by what else runs here.
 */
import { readFileSync } from 'node:fs'
import { createContext, Script } from 'node:vm'
import { ProbeFailure } from './probe-failure.ts'

const boundMs = 50
/** Of the bound, in processor time: less than that, and the match was kept from running. */
const ownShare = 0.5
/** Behind the first one, whose processor time is not known. */
const furtherMax = 8

const holder: { pattern: RegExp; text: string } = { pattern: /(?:)/, text: '' }
const context = createContext(holder)
const script = new Script('pattern.test(text)')

/**
 * Throws a ProbeFailure when it takes longer than 50 ms of processor time. `cpuMs`: that of this thread; null where the
 * kernel does not tell, then the clock counts.
 */
export function matches(
  source: string,
  text: string,
  cpuMs: () => number | null = threadCpuMs,
): boolean {
  holder.pattern = new RegExp(source, 's')
  holder.text = text
  try {
    return attempt() ?? further(cpuMs) ?? tooLong(source)
  } finally {
    holder.text = ''
  }
}

/** Measured: the first one costs no reading. */
function further(cpuMs: () => number | null): boolean | null {
  for (let i = 0; i < furtherMax; i += 1) {
    const before = cpuMs()
    const found = attempt()
    if (found !== null) return found
    const after = cpuMs()
    if (before === null || after === null || after - before >= boundMs * ownShare) return null
  }
  return null
}

/** null: not within the bound. */
function attempt(): boolean | null {
  try {
    return script.runInContext(context, { timeout: boundMs }) === true
  } catch {
    return null
  }
}

function tooLong(source: string): never {
  throw new ProbeFailure(`/${source}/ takes longer than ${boundMs} ms on this answer`)
}

/** The first field of schedstat is in nanoseconds. */
function threadCpuMs(): number | null {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6
  } catch {
    return null
  }
}
