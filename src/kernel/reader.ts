/**
 * Keeps the mirror of the kernel: reads links and addresses at start and after notifications were lost, and takes in
 * notifications. The kernel may let a reading wait, so it is asked for and arrives later; what is notified
 * meanwhile is applied to it again, in order, so that nothing of it is lost or set back.
 *
 * A reading that fails (no memory, say) leaves the mirror as it was, is logged once, and is tried again, ever later.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Engine } from '../engine/contract.ts'
import { encodeLinkGet } from '../wire/rtnetlink-settings.ts'
import { dumpRequests, type Kernel, type KernelChange, missingDump } from './mirror.ts'

export type KernelReaderPorts = {
  readonly kernel: Kernel
  readonly engine: Pick<Engine, 'request'>
  readonly log: Log
  /** What a reading found to be different. */
  onChanges(changes: readonly KernelChange[]): void
}

const againMs = { first: 100, longest: 10_000 }
/** Bytes of notifications during one reading; a host that changes faster is read again later. */
const heardMax = 16 << 20

type Reading = {
  readonly dumps: (Uint8Array | null)[]
  readonly heard: Uint8Array[]
  heardBytes: number
}

export class KernelReader {
  readonly #ports: KernelReaderPorts
  #reading: Reading | null = null
  #ready = false
  #opening: { resolve(): void; reject(why: OpError): void } | null = null
  #again: NodeJS.Timeout | null = null
  #failures = 0
  #elapse: NodeJS.Timeout | null = null

  constructor(ports: KernelReaderPorts) {
    this.#ports = ports
  }

  /** The first reading. Rejects with OpError. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject }
      this.read()
    })
  }

  /** Begins a reading; one that is under way is of no use any more. */
  read(): void {
    this.stop()
    const requests = dumpRequests()
    const reading: Reading = { dumps: requests.map(() => null), heard: [], heardBytes: 0 }
    this.#reading = reading
    for (const [i, request] of requests.entries())
      this.#ports.engine.request(request, (answer) => {
        if (this.#reading === reading) this.#take(reading, i, request, answer)
      })
  }

  /**
   * Reads that link, for what is not notified of it. `inTurn`: has the answer taken in behind what was notified before
   * it. Rejects with OpError.
   */
  readLink(ifindex: number, inTurn: (act: () => void) => void): Promise<void> {
    const { engine, onChanges } = this.#ports
    return new Promise((resolve, reject) => {
      engine.request(encodeLinkGet(ifindex), (answer) =>
        inTurn(() => {
          if (answer instanceof OpError) return reject(answer)
          onChanges(this.heard(answer))
          resolve()
        }),
      )
    })
  }

  /** A notification. Returns what it changes; before the first reading there is nothing to change. */
  heard(bytes: Uint8Array): readonly KernelChange[] {
    const reading = this.#reading
    if (reading !== null) {
      reading.heard.push(bytes)
      reading.heardBytes += bytes.length
      if (reading.heardBytes > heardMax)
        this.#later(new OpError('recv', 'ENOBUFS', 'too many notifications during a dump'))
    }
    const changes = this.#ready ? this.#ports.kernel.apply(bytes) : []
    this.arm()
    return changes
  }

  /** Looks again at the links whose state counts later, when it does. */
  arm(): void {
    if (this.#elapse !== null) clearTimeout(this.#elapse)
    const { nextMs } = this.#ports.kernel
    this.#elapse = nextMs === null ? null : setTimeout(() => this.#onElapsed(), Math.ceil(nextMs))
  }

  /** Nothing is read or looked at any more. */
  close(): void {
    this.stop()
    if (this.#elapse !== null) clearTimeout(this.#elapse)
    this.#elapse = null
  }

  stop(): void {
    this.#reading = null
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
  }

  #onElapsed(): void {
    const changes = this.#ports.kernel.elapse()
    this.arm()
    if (changes.length > 0) this.#ports.onChanges(changes)
  }

  #take(reading: Reading, at: number, request: Uint8Array, answer: Uint8Array | OpError): void {
    const dump = answer instanceof OpError ? missingDump(request, answer) : answer
    if (dump instanceof OpError) return this.#later(dump)
    reading.dumps[at] = dump
    const dumps = reading.dumps.filter((each) => each !== null)
    if (dumps.length < reading.dumps.length) return
    this.stop()
    const changes = this.#ports.kernel.replace([...dumps, ...reading.heard])
    if (this.#failures > 0) this.#ports.log.info('Links and addresses have been read again')
    this.#failures = 0
    this.arm()
    if (this.#ready) return this.#ports.onChanges(changes)
    this.#ready = true
    this.#opening?.resolve()
    this.#opening = null
  }

  #later(error: OpError): void {
    this.stop()
    const opening = this.#opening
    this.#opening = null
    if (opening !== null) return opening.reject(error)
    this.#failures += 1
    if (this.#failures === 1)
      this.#ports.log.error(`Links and addresses cannot be read: ${error.message}; tried again`)
    const afterMs = Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest)
    this.#again = setTimeout(() => this.read(), afterMs)
  }
}
