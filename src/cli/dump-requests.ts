/** Dump files, asked for by a signal or over D-Bus: what one request clears is cleared for the other. */
import type { Daemon } from '../daemon/types.ts'
import { type DumpKind, Dumps } from '../surfaces/dumps/dumps.ts'

export class DumpRequests {
  readonly #daemon: () => Daemon | null
  readonly #dumps = new Dumps()

  /** `daemon`: null while it starts. */
  constructor(daemon: () => Daemon | null) {
    this.#daemon = daemon
  }

  /** Why none would be written at present; null: one would. */
  get refusal(): string | null {
    const daemon = this.#daemon()
    if (daemon === null) return 'nothing to dump: the daemon is still starting'
    return daemon.dumpDirectory === null
      ? 'vipd_dumps in global_defs switches the dump files on'
      : null
  }

  /** The path that was written. Rejects with the reason why none was. */
  async write(kind: DumpKind): Promise<string> {
    const daemon = this.#daemon()
    const directory = daemon?.dumpDirectory ?? null
    if (daemon === null || directory === null) throw new Error(this.refusal ?? '')
    return await this.#dumps.write(kind, directory, () => daemon.dump())
  }
}
