/**
 * The daemon's log: JSON lines (pino) for machines, one plain line per event for people and journald.
 * Which of the two is decided here, where it goes in `log-sink.ts`, what it says at the caller: keepalived's
 * phrases that people grep for are the callers' business.
 */
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { pino } from 'pino'
import type { Log, LogFields, LogForm, LogLevel } from '../base/log.ts'
import { type JournalEntry, oneLine } from './journal-entry.ts'
import { JournalSink } from './journal-sink.ts'
import { isJournal, openLogSink } from './log-sink.ts'

export type LogFormat = 'text' | 'json' | 'auto'

export type LogOptions = {
  /** `auto`: text on a terminal, and for journald, which keeps severity and time itself; JSON elsewhere. */
  readonly format: LogFormat
  /** The least level that is written. */
  readonly level: LogLevel
  /** Standard error unless a test says otherwise. */
  readonly fd?: number
  /** The directory of journald's sockets, unless a test says otherwise. */
  readonly journal?: string
}

/** Has `stdout` for streams, see sd_journal_stream_fd(3), and `socket` for entries with fields. */
const journalDirectory = '/run/systemd/journal'
/** How long an exit waits for a reader that does not read. */
const flushMs = 500

/** RFC 5424 severities, which journald reads from a `<N>` before the line. */
export const severity: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 }

/** Opens the log on standard error. Set up once, at start. */
export function openLog(options: LogOptions): Log {
  const fd = options.fd ?? 2
  const form = formOf(options.format, fd)
  if (form === 'journal') return journalLog(fd, options)
  return form === 'json' ? jsonLog(fd, options) : textLog(fd, options)
}

/** Of the lines that `openLog` writes there, for what else writes to the same place. `fd`: standard error. */
export function formOf(format: LogFormat, fd = 2): LogForm {
  if (format === 'json') return 'json'
  if (isJournal(fd)) return 'journal'
  return format === 'text' || isatty(fd) ? 'text' : 'json'
}

function jsonLog(fd: number, { level, journal = journalDirectory }: LogOptions): Log {
  const sink = openLogSink(
    fd,
    (count, why) =>
      `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), pid: process.pid, msg: lostLine(count, why) })}\n`,
    join(journal, 'stdout'),
  )
  const out = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  )
  return asLog(
    (at, message, fields) => out[at](fields ?? {}, message),
    () => sink.flush(flushMs),
  )
}

/** Entries with fields; as text on the stream that is our standard error where journald's socket is not there. */
function journalLog(fd: number, { level, journal = journalDirectory }: LogOptions): Log {
  const stream = openLogSink(
    fd,
    (count, why) => `${formatLine('warn', lostLine(count, why), {}, null)}\n`,
    join(journal, 'stdout'),
  )
  const entry = (at: LogLevel, message: string, fields?: LogFields): JournalEntry => ({
    priority: severity[at],
    text: formatText(message, fields),
    fields,
  })
  const sink = new JournalSink({
    path: join(journal, 'socket'),
    stream,
    lost: (count) => entry('warn', lostLine(count, null)),
  })
  return asLog(
    (at, message, fields) => {
      if (severity[at] <= severity[level]) sink.write(entry(at, message, fields))
    },
    () => sink.flush(flushMs),
  )
}

function textLog(fd: number, { level, journal = journalDirectory }: LogOptions): Log {
  const line = (at: LogLevel, message: string, fields?: LogFields) =>
    `${formatLine(at, message, fields, new Date())}\n`
  const sink = openLogSink(
    fd,
    (count, why) => line('warn', lostLine(count, why)),
    join(journal, 'stdout'),
  )
  return asLog(
    (at, message, fields) => {
      if (severity[at] <= severity[level]) sink.write(line(at, message, fields))
    },
    () => sink.flush(flushMs),
  )
}

export const lostLine = (count: number, why: string | null) =>
  `${count} log lines were lost: ${why ?? 'the reader did not keep up'}`

/**
 * One line of text. With `at`: `2026-03-01 06:40:11.042 warn  message key=value`; without it journald keeps the
 * time: `<4>message key=value`. What has parts (a cause, a place) is in the message's own words and kept whole in
 * JSON only. Control characters are escaped, so one event is one line.
 */
export function formatLine(
  level: LogLevel,
  message: string,
  fields: LogFields | undefined,
  at: Date | null,
): string {
  const head = at === null ? `<${severity[level]}>` : `${localTime(at)} ${level.padEnd(5)} `
  return head + formatText(message, fields)
}

/** The message and its plain fields. */
function formatText(message: string, fields: LogFields | undefined): string {
  const tail = Object.entries(fields ?? {})
    .filter(([, value]) => isScalar(value) && value !== '')
    .map(([key, value]) => ` ${key}=${fieldText(value)}`)
  return oneLine(message) + tail.join('')
}

const isScalar = (value: unknown): boolean =>
  value !== undefined && (value === null || typeof value !== 'object' || value instanceof Error)

function fieldText(value: unknown): string {
  if (typeof value === 'string')
    return /^[^\s"=]+$/.test(value) ? oneLine(value) : oneLine(JSON.stringify(value))
  if (value instanceof Error) return oneLine(JSON.stringify(value.message))
  return JSON.stringify(value) ?? String(value)
}

function localTime(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** A measured number has digits that say nothing: three are kept. */
function tidy(fields: LogFields | undefined): LogFields | undefined {
  const isLong = (value: unknown) => typeof value === 'number' && !Number.isInteger(value * 1_000)
  if (fields === undefined || !Object.values(fields).some(isLong)) return fields
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toFixed(3)) : value,
    ]),
  )
}

type Emit = (level: LogLevel, message: string, fields?: LogFields) => void

export function asLog(emit: Emit, flush: () => Promise<unknown>): Log {
  return {
    debug: (message, fields) => emit('debug', message, tidy(fields)),
    info: (message, fields) => emit('info', message, tidy(fields)),
    warn: (message, fields) => emit('warn', message, tidy(fields)),
    error: (message, fields) => emit('error', message, tidy(fields)),
    flush: async () => {
      await flush()
    },
  }
}

/** Distinct messages that are remembered; beyond it the oldest is forgotten. */
const limitedMessagesMax = 512

/**
 * The same log, but the same message at most once per `intervalMs`; the next one that passes carries `repeated`,
 * the number that did not. For lines that a peer or a flood can cause. `now` is in milliseconds.
 */
export function limitRepeats(log: Log, intervalMs: number, now: () => number = Date.now): Log {
  const seen = new Map<string, { at: number; held: number }>()
  const emit: Emit = (level, message, fields) => {
    const key = `${level} ${message}`
    const before = seen.get(key)
    if (before !== undefined && now() - before.at < intervalMs) {
      before.held++
      return
    }
    seen.delete(key)
    seen.set(key, { at: now(), held: 0 })
    const oldest = seen.size > limitedMessagesMax ? seen.keys().next().value : undefined
    if (oldest !== undefined) seen.delete(oldest)
    log[level](message, before?.held ? { ...fields, repeated: before.held } : fields)
  }
  return asLog(emit, () => log.flush())
}
