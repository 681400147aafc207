/**
 * The host's own addresses that the kernel deletes together with ours: the secondaries of a network whose primary we
 * put there (inet_del_ifa), where net.ipv4.conf.IFACE.promote_secondaries is 0, the kernel's default. They are not ours
 * to take, so every plan that deletes the primary sets them again in the same request.
 */
import { isDeepStrictEqual } from 'node:util'
import { ipFamily } from '../../base/ip.ts'
import type { AddressFacts, SlotFacts, TakenAlong } from '../../engine/plans-addresses.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { networkOf, networkOfHeld } from '../../wire/address-identity.ts'

type Mirror = Pick<KernelView, 'secondaries' | 'find'>

/**
 * What goes if these go, as the kernel is now. Nothing is named that another primary covers, or that stands on its own:
 * what its owner removes meanwhile must not come back.
 */
export function takenAlong(
  addresses: readonly AddressFacts[],
  kernel: Mirror,
): readonly TakenAlong[] {
  const isPrimary = (one: AddressFacts): boolean => {
    const held = one.foreign ? null : kernel.find(one.ifindex, one)
    return held?.ours === true && !held.secondary
  }
  return [...new Set(addresses.map(({ ifindex }) => ifindex))].flatMap((ifindex) => {
    const secondaries = kernel.secondaries(ifindex)
    if (secondaries.length === 0) return []
    const primaries = addresses.filter(
      (one) => one.ifindex === ifindex && ipFamily(one.address) === 4 && isPrimary(one),
    )
    const networks = new Set(primaries.map(networkOf))
    return secondaries.flatMap(({ address, prefixLength, peer, again }) => {
      const network = networkOfHeld({ address, prefixLength, peer })
      return again !== null && networks.has(network) ? [{ ifindex, network, again }] : []
    })
  })
}

/** The same facts where nothing of it has changed. */
export function followTakenAlong(facts: SlotFacts, kernel: Mirror): SlotFacts {
  const now = takenAlong(facts.addresses, kernel)
  return isDeepStrictEqual(now, facts.takenAlong) ? facts : { ...facts, takenAlong: now }
}
