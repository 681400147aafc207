/**
 * What Node.js and the worker threads would write to standard error by themselves, as lines of the log: warnings, an
 * exception that ends the daemon, whatever a thread prints. Otherwise a log of JSON would have lines that are none.
 */
import type { Log } from '../base/log.ts'

/** Of one line that a thread printed. */
const lineCharactersMax = 8_000

/** `end`: ends the process after an exception that nothing caught. */
export function logOwnLines(log: Log, end: () => void): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) =>
    log.warn(`Node.js: ${warning.name}: ${warning.message}`, { stack: warning.stack }),
  )
  process.stderr.write = (chunk: Uint8Array | string, ...more: unknown[]): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    for (const line of text.split('\n'))
      if (line.trim() !== '') log.warn(line.slice(0, lineCharactersMax))
    const done = more.find((it) => typeof it === 'function')
    if (done !== undefined) setImmediate(done as () => void)
    return true
  }
  let ending = false
  process.on('uncaughtException', (error: unknown) => {
    if (ending) return
    ending = true
    const { message, stack } = error instanceof Error ? error : { message: error, stack: undefined }
    log.error(`Ending: an exception that nothing caught: ${message}`, { stack })
    // Bounded; without a reader that has stopped it is less than a millisecond.
    void log.flush().finally(end)
  })
}
