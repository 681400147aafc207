/**
 * Removes what a dead daemon may have left: every configured virtual address that this host holds. For a
 * supervisor to run after the daemon's end, however that came about.
 */
import type { Config } from '../config/types.ts'
import { kernelRequest } from '../engine/native.ts'
import { encodeAddressDelete } from '../wire/rtnetlink.ts'
import { addressFacts, homeLink } from './footing.ts'
import { Kernel } from './kernel.ts'

/** The addresses that were removed. Throws OpError. */
export function removeAddresses(config: Config): readonly string[] {
  const kernel = new Kernel()
  kernel.load({ request: kernelRequest })
  const removed: string[] = []
  for (const instance of config.instances) {
    const home = homeLink(instance, kernel)
    if (home === null) continue
    for (const address of addressFacts(instance, home, kernel)) {
      if (kernel.find(address.ifindex, address) === null) continue
      kernelRequest(encodeAddressDelete(address))
      removed.push(address.address)
    }
  }
  return removed
}
