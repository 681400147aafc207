/**
 * What a check answered of late, bounded: a ring in memory that the worker writes and other threads may read. It outlives the
 * worker, and reading it delays no thread.
 */

export type Recorded = {
  /** Milliseconds since 1970, when the run began. */
  readonly atMs: number
  readonly durationMs: number
  /** How long after its turn it began. */
  readonly latenessMs: number
  readonly outcome: 'good' | 'failed' | 'timeout' | 'unable'
}

const outcomes = ['good', 'failed', 'timeout', 'unable'] as const
const fields = 4
/** For all checks together: 16 MiB. */
const entriesMax = 524_288
const perCheck = { most: 8_192, least: 64 }

/** Results that each of so many checks may keep. */
export const capacityFor = (checks: number): number =>
  Math.min(perCheck.most, Math.max(perCheck.least, Math.floor(entriesMax / Math.max(1, checks))))

export class ResultRing {
  readonly memory: SharedArrayBuffer
  readonly #count: BigUint64Array
  readonly #cells: Float64Array

  constructor(from: SharedArrayBuffer | { readonly capacity: number }) {
    this.memory =
      from instanceof SharedArrayBuffer
        ? from
        : new SharedArrayBuffer(8 * (1 + fields * from.capacity))
    this.#count = new BigUint64Array(this.memory, 0, 1)
    this.#cells = new Float64Array(this.memory, 8)
  }

  get #capacity(): number {
    return this.#cells.length / fields
  }

  add({ atMs, durationMs, latenessMs, outcome }: Recorded): void {
    const count = Number(Atomics.load(this.#count, 0))
    this.#cells.set(
      [atMs, durationMs, latenessMs, outcomes.indexOf(outcome)],
      fields * (count % this.#capacity),
    )
    Atomics.store(this.#count, 0, BigInt(count + 1))
  }

  /** Packed, in their order, the oldest first. */
  copy(): Float64Array {
    const count = Number(Atomics.load(this.#count, 0))
    const capacity = this.#capacity
    const kept = Math.min(count, capacity)
    const out = new Float64Array(fields * kept)
    for (let i = 0; i < kept; i++) {
      const at = fields * ((count - kept + i) % capacity)
      out.set(this.#cells.subarray(at, at + fields), fields * i)
    }
    return out
  }
}

/** What `copy` gave. */
export function unpackResults(packed: Float64Array): readonly Recorded[] {
  return Array.from({ length: Math.floor(packed.length / fields) }, (_, i) => {
    const at = fields * i
    const [atMs = 0, durationMs = 0, latenessMs = 0, code = 0] = packed.subarray(at, at + fields)
    return { atMs, durationMs, latenessMs, outcome: outcomes[code] ?? 'failed' }
  })
}
