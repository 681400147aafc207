/** Between the daemon and the thread that keeps transitions. What crosses are plain values; each side checks nothing of the other. */
import type { KeptPage, KeptQuery, KeptTransition, LatestQuery } from '../../report/kept.ts'

export type ToHistory =
  /** Where they are kept from now on. */
  | { readonly kind: 'open'; readonly directory: string }
  | { readonly kind: 'keep'; readonly transitions: readonly KeptTransition[] }
  | { readonly kind: 'read'; readonly id: number; readonly query: KeptQuery }
  | { readonly kind: 'latest'; readonly id: number; readonly query: LatestQuery }
  | { readonly kind: 'ping' }
  /** The numbers up to this one are used: the next daemon goes on from there. */
  | { readonly kind: 'stop'; readonly last: number }

export type FromHistory =
  /** The numbers that may be given, the first and the last. */
  | { readonly kind: 'numbers'; readonly from: number; readonly until: number }
  /** Those up to this number are on the disk. */
  | { readonly kind: 'kept'; readonly upTo: number }
  /** Nothing can be kept at present. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'page'; readonly id: number; readonly page: KeptPage }
  | { readonly kind: 'no-page'; readonly id: number; readonly why: string }
  | { readonly kind: 'pong' }
