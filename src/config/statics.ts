/** What is in the kernel while the daemon runs, on a backup too, as the configuration means it. */
import type { Route, Rule } from './routing.ts'
import type { VirtualAddress } from './virtual-address.ts'

export type StaticAddress = VirtualAddress & {
  readonly interface: string
  /** As the operator wrote it. */
  readonly text: string
  /** See `Written`. */
  readonly trackGroup: string | null
}

export type Statics = {
  readonly addresses: readonly StaticAddress[]
  readonly routes: readonly Route[]
  readonly rules: readonly Rule[]
}

export const noStatics: Statics = { addresses: [], routes: [], rules: [] }
