/** The only source of chance in the simulator: xorshift on 32 bits, so that a seed is a run. */

export class Prng {
  #state: number

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring runs.
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x165667b1) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.next()
  }

  /** 0 ≤ n < 1. */
  next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state / 0x1_0000_0000
  }

  /** An integer, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.next() * from.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }
}
