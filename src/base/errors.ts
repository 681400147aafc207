/**
 * The outside failed: a system call, a kernel reply, a script. Reported and survived. (A bug asserts
 * instead; what a peer sends wrong is a named reject reason, never an exception.)
 */
export class OpError extends Error {
  /** What was attempted, in the system's own words: 'bind', 'RTM_NEWADDR', 'execve /etc/x.sh'. */
  readonly op: string
  /** errno name: 'EPERM', 'ENODEV', … */
  readonly code: string
  /** What the system said beside it; '' for nothing. */
  readonly detail: string

  constructor(op: string, code: string, detail = '') {
    super(`${op}: ${code}${detail === '' ? '' : ` (${detail})`}`)
    this.name = 'OpError'
    this.op = op
    this.code = code
    this.detail = detail
  }
}

/** What was thrown, as a sentence. */
export const textOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
