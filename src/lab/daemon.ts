/**
 * A VRRP daemon at work in a host: vipd or keepalived, seen the same way. Both report transitions in the
 * same words, so what is waited for is the line that an operator would read.
 */
import type { Child, Exit, Line } from './child.ts'
import type { Host } from './host.ts'
import { Journal } from './wait.ts'

export type DaemonKind = 'vipd' | 'keepalived'
export type Role = 'MASTER' | 'BACKUP' | 'FAULT'

export type Transition = {
  readonly atMs: number
  readonly instance: string
  readonly to: Role
  readonly text: string
}

export type Daemon = {
  readonly kind: DaemonKind
  readonly host: Host
  readonly child: Child
  readonly transitions: Journal<Transition>
  /** Resolves at once when the instance is in that state, else at the transition. */
  reaches(instance: string, state: Role, timeoutMs: number): Promise<void>
  /** As last reported; null before the first report. */
  state(instance: string): Role | null
  /** Every packet that the daemon counted as bad, by reason; empty is what a test wants to see. */
  errors(): Promise<Readonly<Record<string, number>>>
  reload(): Promise<void>
  /** Orderly: SIGTERM, then waits for the end. */
  stop(timeoutMs?: number): Promise<Exit>
  /** At once and without a trace: SIGKILL to every process of the daemon. */
  kill(): Promise<void>
}

const entering = /\((\S+?)\) [Ee]ntering (MASTER|BACKUP|FAULT) (?:STATE|state)/

/** Collects the transitions that a daemon writes about; give `onLine` to its child. */
export class Roles {
  readonly transitions = new Journal<Transition>()
  readonly #states = new Map<string, Role>()

  readonly onLine = (line: Line): void => {
    const [, instance, to] = entering.exec(line.text) ?? []
    if (instance === undefined || to === undefined) return
    this.#states.set(instance, to as Role)
    const transition = { atMs: line.atMs, instance, to: to as Role, text: line.text }
    this.transitions.push(transition)
  }

  state(instance: string): Role | null {
    return this.#states.get(instance) ?? null
  }

  async reaches(who: string, instance: string, state: Role, timeoutMs: number): Promise<void> {
    if (this.#states.get(instance) === state) return
    const wants = (t: Transition) => t.instance === instance && t.to === state
    const from = this.transitions.items.length
    await this.transitions.next(`${who}: ${instance} becomes ${state}`, timeoutMs, wants, from)
  }
}
