/** BFD of a host that has no session. */
import { assert } from '../../../src/base/assert.ts'
import type { Bfd } from '../../../src/engine/bfd-contract.ts'

export const silentBfd: Bfd = {
  realtime: true,
  open: () => assert(false, 'no session is configured'),
  close: () => undefined,
  order: () => undefined,
  counters: () => {
    throw new Error('no session is configured')
  },
  unclaimed: () => 0,
  stop: () => undefined,
}
