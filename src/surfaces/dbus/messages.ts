/** Between the daemon and the thread that is on the bus. What crosses are plain values; each side checks nothing of the other. */
import type { LogLevel } from '../../base/log.ts'
import type { Removal } from '../../report/event.ts'
import type { Transition } from '../../report/status.ts'
import type { StatusPart } from '../feed/status-feed.ts'

export type DbusConfig = {
  /** Where the bus is, as DBUS_SYSTEM_BUS_ADDRESS has it. */
  readonly address: string
  /** The well-known name. */
  readonly name: string
  /** In the path of an instance without interface. */
  readonly noInterface: string
  /** The network namespace and the daemon's name, as far as there are any: parts of every path. */
  readonly within: readonly string[]
}

/** What can be ordered. */
export type Order =
  | { readonly verb: 'reload' }
  /** keepalived's dump files. */
  | { readonly verb: 'dump'; readonly what: 'data' | 'stats' | 'clear' }
  | { readonly verb: 'announce'; readonly instance: string }

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly why: string }

export type ToDbus =
  /** `started`: the bus has been told of the daemon's start. */
  | { readonly kind: 'serve'; readonly config: DbusConfig; readonly started: boolean }
  | StatusPart
  | { readonly kind: 'transition'; readonly what: Transition; readonly removal: Removal | null }
  /** A new configuration holds: statuses with a greater number than `after` know of it. */
  | { readonly kind: 'reloaded'; readonly after: number }
  | { readonly kind: 'done'; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: 'ping' }
  /** `stopping`: the daemon ends; else only this surface. */
  | { readonly kind: 'stop'; readonly stopping: boolean }

export type FromDbus =
  | { readonly kind: 'want' }
  /** `by`: for the log. */
  | {
      readonly kind: 'order'
      readonly id: number
      readonly order: Order
      readonly member: string
      readonly by: string
    }
  | { readonly kind: 'say'; readonly level: Exclude<LogLevel, 'debug'>; readonly text: string }
  /** Why the name is not served; null: it is. */
  | { readonly kind: 'unserved'; readonly why: string | null }
  | { readonly kind: 'started' }
  | { readonly kind: 'pong' }
