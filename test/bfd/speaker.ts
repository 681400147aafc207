/** Another implementation of BFD with one session, as the tests see it. */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'

/** Milliseconds. */
export type Pace = { readonly rx: number; readonly tx: number; readonly multiplier: number }

export type Path = {
  readonly own: string
  readonly peer: string
  /** UDP port 4784, over routers. */
  readonly multihop: boolean
  /** Sends nothing before it has heard the other end. */
  readonly passive?: boolean
  /** The least TTL that is taken; only FRR has it, and only over several hops. */
  readonly minimumTtl?: number
}

export type Seen = {
  readonly up: boolean
  /** At which it waits for packets of the other end, milliseconds; null: it does not say. */
  readonly awaitsMs: number | null
  /** How often its state has changed. */
  readonly changed: number
}

export type Speaker = {
  readonly host: Host
  start(): Promise<void>
  /** Null while it does not answer. */
  seen(): Promise<Seen | null>
  change(pace: Pace): Promise<void>
  /** The session is administratively down; where the implementation has no such word it is taken away. */
  switchOff(): Promise<void>
  switchOn(): Promise<void>
  /** SIGTERM. */
  stop(): Promise<void>
  kill(): Promise<void>
}

export async function killed(child: Child): Promise<void> {
  await child.signal('SIGKILL')
  await child.ended(60_000)
}
