/** A host's monotonic clock: it began at another instant than true time and runs at a rate of its own. */
import { type Us, us } from '../../src/base/time.ts'

export class Clock {
  readonly #rate: number
  readonly #offset: number

  /** `rate` 1.01 gains 1 %; `offset` is what it shows at true time 0. */
  constructor(rate: number, offset: number) {
    this.#rate = rate
    this.#offset = offset
  }

  /** What it shows at this true instant. */
  read(trueUs: number): Us {
    return us(this.#offset + Math.floor(trueUs * this.#rate))
  }

  /** The first true instant at which it shows this or more. */
  when(local: number): number {
    let at = Math.ceil((local - this.#offset) / this.#rate)
    while (this.read(at) < local) at += 1
    return at
  }
}
