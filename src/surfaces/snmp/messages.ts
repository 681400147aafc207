/** Between the daemon and the thread that speaks to the master agent. What crosses are plain values; each side checks nothing of the other. */
import type { LogLevel } from '../../base/log.ts'
import type { SnmpConfig } from '../../config/snmp.ts'
import type { MibHost, MibInstance, MibPlace, MibSettings } from '../../report/mib.ts'
import type { Transition } from '../../report/status.ts'
import type { StatusPart } from '../feed/status-feed.ts'

/** What is told at once: it becomes a notification. */
export type News =
  | {
      readonly kind: 'transition'
      readonly transition: Transition
      /** It is not notified. */
      readonly silent: boolean
      /** null: the daemon is still starting; then what the thread knows counts. */
      readonly place: MibPlace | null
    }
  | { readonly kind: 'group'; readonly name: string; readonly to: string }

export type ToSnmp =
  | { readonly kind: 'serve'; readonly config: SnmpConfig }
  /** Before a status, when the configuration is another one; its instances follow in parts. */
  | { readonly kind: 'settings'; readonly settings: MibSettings }
  | { readonly kind: 'configured'; readonly some: readonly MibInstance[] }
  /** Before the end of each status. */
  | { readonly kind: 'host'; readonly host: MibHost }
  | StatusPart
  /** Of a change of state that is told to all surfaces. */
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'ping' }
  | { readonly kind: 'stop' }

export type FromSnmp =
  /** A status is wanted, once. */
  | { readonly kind: 'want' }
  | { readonly kind: 'say'; readonly level: Exclude<LogLevel, 'debug'>; readonly text: string }
  /** For `status`: why something is not served. */
  | { readonly kind: 'unserved'; readonly reasons: readonly string[] }
  | { readonly kind: 'pong' }
