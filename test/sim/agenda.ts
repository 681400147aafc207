/**
 * Virtual time: what shall happen, ordered by its instant and, for equal instants, by who asked first. A
 * binary heap; nothing in a run happens but through it.
 */

type Entry = { readonly at: number; readonly order: number; readonly run: () => void }

/** More than this at one instant is a loop that feeds itself. */
const atOnceMax = 20_000

export class Agenda {
  /** True time in µs, which no host can read. */
  now = 0
  #heap: Entry[] = []
  #order = 0
  #atOnce = 0

  at(at: number, run: () => void): void {
    this.#push({ at: Math.max(at, this.now), order: this.#order++, run })
  }

  after(span: number, run: () => void): void {
    this.at(this.now + span, run)
  }

  /** Everything up to and including the instant. */
  runUntil(end: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#pop()
      this.#atOnce = first.at === this.now ? this.#atOnce + 1 : 0
      if (this.#atOnce > atOnceMax) throw new Error('time stands still: something feeds itself')
      this.now = first.at
      first.run()
    }
    this.now = end
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Entry
      if (before(above, entry)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1]
      if (right !== undefined && before(right, heap[child] as Entry)) child += 1
      const below = heap[child] as Entry
      if (before(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

const before = (a: Entry, b: Entry): boolean => (a.at === b.at ? a.order < b.order : a.at < b.at)
