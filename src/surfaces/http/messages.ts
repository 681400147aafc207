/** Between the daemon and the thread that answers HTTP. What crosses are plain values; each side checks nothing of the other. */
import type { LogLevel } from '../../base/log.ts'
import type { HttpConfig } from '../../config/http.ts'
import type { LatestQuery } from '../../report/kept.ts'
import type { RecentNames } from '../../report/recent.ts'
import type { Transition } from '../../report/status.ts'
import type { StatusPart } from '../feed/status-feed.ts'
import type { LoopDelay } from '../metrics/process-names.ts'

/** What can be ordered; the daemon's own verbs. */
export type Order = {
  readonly verb: 'drain' | 'resume' | 'failover' | 'reload' | 'check'
  /** Of an instance, a group or a check, as the verb asks for it. */
  readonly name: string | null
  readonly force: boolean
  /** For the log: 'unix:/run/vipd/http.sock', '192.0.2.7 at 192.0.2.1:9112'. */
  readonly by: string
}

export type ToHttp =
  | { readonly kind: 'listen'; readonly config: HttpConfig }
  | StatusPart
  /** Of the main thread's event loop, since the last status; told before the end of each. */
  | { readonly kind: 'loop-delay'; readonly delay: LoopDelay | null }
  /** `number`: of one that is kept over restarts. */
  | { readonly kind: 'transition'; readonly what: Transition; readonly number: number | null }
  | { readonly kind: 'done'; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: 'ping' }
  | { readonly kind: 'stop' }

export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string }

export type FromHttp =
  /** A client asks: a status is wanted, once. */
  | { readonly kind: 'want' }
  | { readonly kind: 'order'; readonly id: number; readonly order: Order }
  /** Answered by `done`, as an order is. */
  | { readonly kind: 'recent'; readonly id: number; readonly names: RecentNames }
  /** The same, with a KeptPage. */
  | { readonly kind: 'kept'; readonly id: number; readonly query: LatestQuery }
  | { readonly kind: 'say'; readonly level: Exclude<LogLevel, 'debug'>; readonly text: string }
  /** Addresses that are not served, with the reason. */
  | { readonly kind: 'unserved'; readonly reasons: readonly string[] }
  | { readonly kind: 'pong' }
