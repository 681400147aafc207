/** A check pool whose events can be waited for. */
import assert from 'node:assert/strict'
import type { Command } from '../../../src/base/command.ts'
import { startCheckPool } from '../../../src/checks/pool/pool.ts'
import type { CheckEvent, CheckPool } from '../../../src/checks/verdict/pool-contract.ts'
import type { CheckSpec } from '../../../src/checks/verdict/types.ts'

export function check(name: string, command: Command, more: Partial<CheckSpec> = {}): CheckSpec {
  const timing = { intervalMs: 100_000, timeoutMs: 10_000, rise: 1, fall: 1 }
  return { name, command, runAs: null, ...timing, ...more }
}

/** A pool whose events can be waited for; it is stopped when the body is over. */
export async function withPool(
  body: (pool: CheckPool, events: Events) => Promise<void>,
  start: (onEvent: (event: CheckEvent) => void) => CheckPool = (onEvent) =>
    startCheckPool({ workers: 2, onEvent }),
): Promise<void> {
  const events = new Events()
  const pool = start((event) => events.add(event))
  try {
    await body(pool, events)
  } finally {
    await pool.stop()
  }
}

export class Events {
  readonly seen: CheckEvent[] = []
  #waiting = new Set<() => void>()

  add(event: CheckEvent): void {
    this.seen.push(event)
    for (const look of this.#waiting) look()
    this.#waiting.clear()
  }

  /** Resolves with the first event, past or future, of that kind (and check) at or after `from`. */
  async next(kind: CheckEvent['kind'], name: string | null = null, from = 0): Promise<CheckEvent> {
    for (;;) {
      const found = this.seen
        .slice(from)
        .find(
          (event) =>
            event.kind === kind && (name === null || ('name' in event && event.name === name)),
        )
      if (found !== undefined) return found
      await this.#another(`${kind} of ${name}`)
    }
  }

  async verdict(name: string, from = 0): Promise<CheckEvent & { kind: 'verdict' }> {
    const event = await this.next('verdict', name, from)
    assert.ok(event.kind === 'verdict')
    return event
  }

  async #another(what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} within 30 s`)), 30_000)
      this.#waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
