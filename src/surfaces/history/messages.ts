/** Between the daemon and the thread that keeps transitions. What crosses are plain values; each side checks nothing of the other. */
import type {
  ClaimsQuery,
  KeptPage,
  KeptQuery,
  KeptTransition,
  LatestPage,
  LatestQuery,
} from '../../report/kept.ts'
import type { KeptClaim } from '../../report/past-claim.ts'

export type ToHistory =
  /** Where they are kept from now on. */
  | { readonly kind: 'open'; readonly directory: string }
  | { readonly kind: 'keep'; readonly transitions: readonly KeptTransition[] }
  | { readonly kind: 'keep-claims'; readonly claims: readonly KeptClaim[] }
  | { readonly kind: 'read'; readonly id: number; readonly query: KeptQuery }
  | { readonly kind: 'latest'; readonly id: number; readonly query: LatestQuery }
  | { readonly kind: 'claims'; readonly id: number; readonly query: ClaimsQuery }
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
  /** Of the last claims that were passed. */
  | { readonly kind: 'claims-kept' }
  | { readonly kind: 'claims-failed'; readonly why: string }
  | { readonly kind: 'page'; readonly id: number; readonly page: KeptPage | LatestPage }
  | { readonly kind: 'no-page'; readonly id: number; readonly why: string }
  | { readonly kind: 'pong' }
