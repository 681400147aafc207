/**
 * The log as keepalived writes it: datagrams to /dev/log in the form of RFC 3164. A reader that does not keep up, or is
 * away, costs lines, which are counted; nothing here waits.
 */
import type { Log, LogLevel } from '../base/log.ts'
import { tellSupervisor } from '../engine/native.ts'
import { oneLine } from './journal-entry.ts'
import { asLog, lostLine, severity } from './log.ts'

export type SyslogOptions = {
  /** The program's name in each line; asked for with each. */
  readonly ident: () => string
  /** RFC 3164 section 4.1.1: 3 daemon, 16 to 23 local0 to local7. */
  readonly facility: number
  readonly level: LogLevel
}

const socket = '/dev/log'
/** What a receiver takes at least (RFC 3164); rsyslog and journald take more. */
const textBytesMax = 8_000

export function openSyslog({ ident, facility, level }: SyslogOptions): Log {
  let lost = 0
  const send = (at: LogLevel, text: string): boolean =>
    tellSupervisor(socket, syslogLine(facility, at, ident(), process.pid, text, new Date())) ===
    null
  const write = (at: LogLevel, message: string): void => {
    if (severity[at] > severity[level]) return
    if (lost > 0 && send('warn', lostLine(lost, null))) lost = 0
    if (!send(at, message)) lost++
  }
  return asLog(write, async () => {})
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `<30>Nov  8 00:19:56 Keepalived_vrrp[67]: text`, in local time; control characters are escaped: a line is an event. */
export function syslogLine(
  facility: number,
  level: LogLevel,
  ident: string,
  pid: number,
  text: string,
  at: Date,
): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${months[at.getMonth()]} ${String(at.getDate()).padStart(2)}`
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const head = `<${facility * 8 + severity[level]}>${day} ${time} ${ident}[${pid}]: `
  return head + cut(oneLine(text))
}

const cut = (text: string): string =>
  Buffer.byteLength(text) <= textBytesMax
    ? text
    : `${Buffer.from(text)
        .subarray(0, textBytesMax)
        .toString('utf8')
        .replace(/\ufffd+$/u, '')}…`
