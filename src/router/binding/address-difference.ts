/**
 * What a master has to do to its addresses when its facts change under a standing lead, without a moment in which an
 * address that stays wanted is absent, where the kernel allows for that.
 *
 * An address that is there is altered by setting it again (NLM_F_REPLACE) only in its lifetimes and, IPv6 alone, in
 * `home`, `mngtmpaddr` and `noprefixroute` (inet_rtm_newaddr, inet6_addr_modify); everything else about it the kernel
 * keeps without a word. One with another prefix or peer is another address, which may stand beside the old one.
 */
import { isDeepStrictEqual } from 'node:util'
import { ipFamily } from '../../base/ip.ts'
import { type AddressFacts, kernelAddresses, type SlotFacts } from '../../engine/plans-addresses.ts'
import { identityOf, placeOf } from '../../wire/address-identity.ts'

export type AddressDifference = {
  /** Not there yet, or set again where that alters what has changed. First. */
  readonly add: readonly AddressFacts[]
  /** To be deleted and added in one request: neither can it be altered, nor may the two stand beside each other. */
  readonly swap: readonly { readonly from: AddressFacts; readonly to: AddressFacts }[]
  /** Not wanted any more. Last. */
  readonly remove: readonly AddressFacts[]
}

export function addressDifference(before: SlotFacts, now: SlotFacts): AddressDifference {
  const [held, wanted] = [kernelAddresses(before), kernelAddresses(now)]
  const lasting = before.lifetimeSeconds !== now.lifetimeSeconds
  const found = new Set<AddressFacts>()
  const add: AddressFacts[] = []
  const swap: { readonly from: AddressFacts; readonly to: AddressFacts }[] = []
  const place = (one: AddressFacts) => `${one.ifindex} ${placeOf(one)}`
  const placed = new Map(held.map((one) => [place(one), one]))
  for (const to of wanted) {
    const from = placed.get(place(to))
    if (from !== undefined) found.add(from)
    if (from === undefined) add.push(to)
    else if (!alterable(from, to)) swap.push({ from, to })
    else if (lasting || !isDeepStrictEqual(from, to)) add.push(to)
  }
  return { add, swap, remove: held.filter((one) => !found.has(one)) }
}

/** By setting it again, without being away for a moment. */
export function alterable(from: AddressFacts, to: AddressFacts): boolean {
  if (identityOf(from) !== identityOf(to) || from.autojoin !== to.autojoin) return false
  if (ipFamily(to.address) === 6) return true
  const { label, scope, broadcast, noprefixroute } = from
  return (
    label === to.label &&
    scope === to.scope &&
    broadcast === to.broadcast &&
    noprefixroute === to.noprefixroute
  )
}
