/**
 * Reads the kernel's links and addresses anew after notifications were lost. A read that fails (no descriptor, no
 * memory) leaves the mirror as it was, is logged once, and is tried again, ever later: what the mirror misses
 * until then is old, never wrong for good.
 */
import { OpError } from '../base/errors.ts'
import type { Engine } from '../engine/contract.ts'
import type { Log } from './daemon-types.ts'
import type { Kernel, KernelChange } from './kernel.ts'

export type KernelReaderPorts = {
  readonly kernel: Kernel
  readonly engine: Pick<Engine, 'request'>
  readonly log: Log
  /** What a later attempt found. */
  onChanges(changes: readonly KernelChange[]): void
}

const againMs = { first: 100, longest: 10_000 }

export class KernelReader {
  readonly #ports: KernelReaderPorts
  #again: NodeJS.Timeout | null = null
  #failures = 0

  constructor(ports: KernelReaderPorts) {
    this.#ports = ports
  }

  /** What differs from before; nothing if it could not be read now and will be later. */
  read(): readonly KernelChange[] {
    const { kernel, engine, log } = this.#ports
    this.stop()
    try {
      const changes = kernel.load(engine)
      if (this.#failures > 0) log.info('Links and addresses have been read again')
      this.#failures = 0
      return changes
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#later(error)
      return []
    }
  }

  stop(): void {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
  }

  #later(error: OpError): void {
    this.#failures += 1
    if (this.#failures === 1)
      this.#ports.log.error(`Links and addresses cannot be read: ${error.message}; tried again`)
    const afterMs = Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest)
    this.#again = setTimeout(() => {
      this.#ports.onChanges(this.read())
    }, afterMs)
  }
}
