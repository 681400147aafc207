import type { Notifier } from '../notify/notify.ts'

/**
 * What happens reaches the decisions through this gate. While it is shut, what comes waits in its order: a state that is
 * being passed to another process must not be changed behind its back, and that process decides nothing before the slots
 * are its own.
 */
export const throughGate = (notifier: Notifier, gate: Gate): Notifier => ({
  instance: (it) => gate.run(() => notifier.instance(it)),
  group: (it) => gate.run(() => notifier.group(it)),
  repeat: (line) => gate.run(() => notifier.repeat(line)),
  reconfigure: (settings) => gate.run(() => notifier.reconfigure(settings)),
  stop: () => notifier.stop(),
})

export class Gate {
  #waiting: (() => void)[] | null = null
  #onFirst: () => void = () => undefined

  run(act: () => void): void {
    if (this.#waiting === null) return act()
    this.#waiting.push(act)
    if (this.#waiting.length === 1) this.#onFirst()
  }

  /** `onFirst`: called when the first thing waits. */
  shut(onFirst: () => void = () => undefined): void {
    this.#waiting = []
    this.#onFirst = onFirst
  }

  get isShut(): boolean {
    return this.#waiting !== null
  }

  /** What has waited happens now. */
  open(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const act of waiting) act()
  }
}
