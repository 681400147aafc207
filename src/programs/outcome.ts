/** How one run ended. Only `exit` with status 0, a probe's yes and the value 0 are successes. */
export type Outcome =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  /** Could not be run (missing, not executable, EPERM, out of processes), with the reason. */
  | { readonly kind: 'unable'; readonly why: string }
  /** In-process probe: yes or no with its reason ('connection refused'). */
  | { readonly kind: 'probe'; readonly ok: boolean; readonly detail: string }
  /** The number that a file holds. */
  | { readonly kind: 'value'; readonly value: number }
