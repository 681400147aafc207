/**
 * A log line as journald takes it with fields: one datagram of `NAME=value` lines to its socket (systemd's "Native Journal
 * Protocol"). Values have no newline, so that its binary form is not needed, and a bound, so that one datagram holds them:
 * AF_UNIX takes 208 KiB (net.core.wmem_default) before a message has to go by a memfd.
 */
import type { LogFields } from '../base/log.ts'

const textBytesMax = 16 * 1024
const valueBytesMax = 4 * 1024
/** journald takes more; what the daemon logs has a dozen. */
const fieldsMax = 32

export type JournalEntry = {
  /** RFC 5424. */
  readonly priority: number
  /** One line. */
  readonly text: string
  readonly fields: LogFields | undefined
}

/** `VIPD_…` from each field: `durationMs` is VIPD_DURATION_MS; of a cause its kind, and all of it in VIPD_CAUSE_DETAIL. */
export function journalDatagram({ priority, text, fields }: JournalEntry): string {
  const lines = [
    `MESSAGE=${cut(text, textBytesMax)}`,
    `PRIORITY=${priority}`,
    'SYSLOG_IDENTIFIER=vipd',
    // LOG_DAEMON, as systemd gives to what a service writes.
    'SYSLOG_FACILITY=3',
  ]
  for (const [key, value] of Object.entries(fields ?? {}).slice(0, fieldsMax)) {
    const name = fieldName(key)
    for (const [suffix, word] of words(value))
      lines.push(`${name}${suffix}=${cut(oneLine(word), valueBytesMax)}`)
  }
  return `${lines.join('\n')}\n`
}

/** At most 64 of A-Z, 0-9 and _, as journald asks. */
const fieldName = (key: string): string =>
  `VIPD_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .slice(0, 56)

function words(value: unknown): readonly (readonly [suffix: string, text: string])[] {
  if (value === undefined || value === null || value === '') return []
  if (value instanceof Error) return [['', value.message]]
  if (typeof value !== 'object') return [['', String(value)]]
  const detail = JSON.stringify(value)
  if (!('kind' in value)) return [['', detail]]
  return [
    ['', String(value.kind)],
    ['_DETAIL', detail],
  ]
}

/**
 * Control characters are escaped as in JSON, those above ASCII too: one event is one line, and what a file or a script says
 * does not drive a terminal.
 */
export const oneLine = (text: string): string =>
  text.replace(/\p{Cc}/gu, (c) => {
    const escaped = JSON.stringify(c).slice(1, -1)
    return escaped === c ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped
  })

/** Where a character ends. */
function cut(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text
  const part = Buffer.from(text).subarray(0, bytesMax).toString('utf8')
  return `${part.replace(/\ufffd+$/u, '')}…`
}
