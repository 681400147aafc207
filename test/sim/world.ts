/** Hosts on a LAN, and what a fault of them is. */
import type { Host } from './host.ts'
import type { Invariants } from './invariants.ts'
import type { Lan } from './lan.ts'
import type { Prng } from './prng.ts'
import type { Scenario } from './scenario.ts'

export type World = {
  readonly scenario: Scenario
  readonly prng: Prng
  readonly lan: Lan
  readonly hosts: readonly Host[]
  readonly invariants: Invariants
  /** LAN port of a router that is none of the hosts. */
  readonly foreigner: number
  later(spanUs: number, run: () => void): void
}

export type Ending = () => void

export type Fault = {
  readonly name: string
  readonly lasts: 'passing' | 'lasting' | 'instant'
  begin(world: World): Ending
}

export const nothing: Ending = () => undefined
