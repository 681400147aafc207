/** The log as every part sees it; what writes it is the daemon's. */
/** Further facts of a log line: `{ instance: 'VI_1', priority: 100 }`. */
export type LogFields = Readonly<Record<string, unknown>>

/** What a line looks like: text for people, the same for journald with the severity before it, JSON. */
export type LogForm = 'text' | 'journal' | 'json'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Never blocks and never throws: a reader that stopped costs lines, not elections. */
export type Log = {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Resolves when all is written, or after a short while if the reader does not read. For the exit. */
  flush(): Promise<void>
}
