/** What is asked of the daemon one after the other, so that any number of clients costs it a bounded share of its time. */
export class OneAtATime {
  readonly #waitingMax: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  /** `waitingMax`: that wait for their turn, the one that has it included. */
  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  /** `act` resolves in bounded time. null: too many wait. */
  run<T>(act: () => Promise<T>): Promise<T> | null {
    if (this.#waiting >= this.#waitingMax) return null
    this.#waiting += 1
    const done = this.#last.then(act)
    this.#last = done
      .catch(() => undefined)
      .finally(() => {
        this.#waiting -= 1
      })
    return done
  }
}
