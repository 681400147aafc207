/** What became of one instance that was asked to hand over. */
export type HandOver = {
  readonly name: string
  /**
   * `kept`: no peer took over in the time that the protocol needs. `pending`: it needs longer than the daemon waits for
   * it; it goes on. `owner`: an address owner; no peer can have a higher priority. `left`: it is no longer master, but
   * for a reason of its own (a fault, a reload).
   */
  readonly outcome: 'handed-over' | 'was-not-master' | 'kept' | 'pending' | 'owner' | 'left'
  readonly tookMs: number
  /** The new master. */
  readonly to: string | null
}
