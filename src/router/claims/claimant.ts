/** Another machine that claims an address, as one instance knows it. */
import type { Us } from '../../base/time.ts'
import type { Claim } from '../../wire/claim.ts'

export type Claimant = Pick<Claim, 'address' | 'mac' | 'how'> & {
  readonly interface: string
  readonly firstAt: Us
  readonly lastAt: Us
  /** Frames. */
  readonly count: number
  /** With a MAC address of this host: nothing that is announced can be told from what it sends. */
  readonly sameMac: boolean
}
