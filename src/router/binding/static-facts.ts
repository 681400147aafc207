/** Static entries as requests, resolved to the interfaces that they name, in the order in which they are set. */
import { ipFamily } from '../../base/ip.ts'
import type { StaticAddress, Statics } from '../../config/statics.ts'
import type { AddressFacts } from '../../engine/plans-addresses.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type { Keeps } from '../../kernel/sweep-types.ts'
import { identityOf, identityOfHeld, placeOf } from '../../wire/address-identity.ts'
import {
  encodeAddressDelete,
  encodeAddressReplace,
  type LinkAddress,
  vipdProtocol,
} from '../../wire/rtnetlink-address.ts'
import { routeIdentity } from '../../wire/rtnetlink-route.ts'
import { ruleIdentity } from '../../wire/rtnetlink-rule.ts'
import { alterable } from './address-difference.ts'
import { entryFacts, interfacesOf, ownedEntries } from './entry-facts.ts'
import { addressFactsOn, ownedAddress } from './interface-resolution.ts'

export type StaticFact = {
  readonly kind: 'address' | 'route' | 'rule'
  /** Of two with the same one the kernel holds one. */
  readonly key: string
  /** By which the kernel tells of its removal. */
  readonly identity: string
  /** As the operator wrote it. */
  readonly text: string
  /** Put back when another program removes it. */
  readonly track: boolean
  readonly add: Uint8Array
  readonly remove: Uint8Array
  /** Of an address. */
  readonly address: AddressFacts | null
}

/**
 * Those that can be set: an address or a route over an interface that is absent waits for it, and an address that another
 * program put there is its own.
 */
export function staticFacts(statics: Statics, kernel: KernelView): readonly StaticFact[] {
  const addresses = statics.addresses.flatMap((it) => addressFact(it, kernel) ?? [])
  const entries = entryFacts(statics, kernel).map((it) => ({
    ...it,
    key: it.identity,
    address: null,
  }))
  return [...new Map([...addresses, ...entries].map((it) => [it.key, it])).values()]
}

function addressFact(it: StaticAddress, kernel: KernelView): StaticFact | null {
  const link = kernel.linkByName(it.interface)
  if (link === null) return null
  const address = addressFactsOn(link, it, false, kernel)
  if (address.foreign) return null
  const { text, track } = it
  return {
    kind: 'address',
    key: `${link.ifindex} ${placeOf(it)}`,
    identity: `${link.ifindex} ${identityOf(it)}`,
    text,
    track,
    add: encodeAddressReplace({ ...address, validSeconds: null }),
    remove: encodeAddressDelete(address),
    address,
  }
}

export type StaticDifference = {
  /** Backwards: rules, routes, addresses. */
  readonly remove: readonly StaticFact[]
  readonly add: readonly StaticFact[]
}

/** What is altered in a way that the kernel cannot follow goes and comes. */
export function staticDifference(
  before: readonly StaticFact[],
  now: readonly StaticFact[],
): StaticDifference {
  const [had, wanted] = [byKey(before), byKey(now)]
  const stays = (it: StaticFact, other: StaticFact | undefined): boolean =>
    other !== undefined && it.identity === other.identity && sameBytes(it.add, other.add)
  const follows = (it: StaticFact, other: StaticFact | undefined): boolean =>
    it.address !== null && other?.address != null && alterable(it.address, other.address)
  return {
    remove: before
      .filter((it) => !stays(it, wanted.get(it.key)) && !follows(it, wanted.get(it.key)))
      .reverse(),
    add: now.filter((it) => !stays(it, had.get(it.key))),
  }
}

const byKey = (facts: readonly StaticFact[]) => new Map(facts.map((it) => [it.key, it]))
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** For the record. */
export const ownedStatics = (facts: readonly StaticFact[]): readonly OwnedObject[] =>
  facts.flatMap(({ kind, address, ...it }): readonly OwnedObject[] => {
    if (address !== null) return [ownedAddress(address)]
    return kind === 'address' ? [] : ownedEntries([{ kind, ...it }])
  })

/** Every interface that the entries name. */
export const staticInterfaces = ({ addresses, routes, rules }: Statics): readonly string[] => [
  ...addresses.map((it) => it.interface),
  ...routes.flatMap(interfacesOf),
  ...rules.flatMap(({ incoming, outgoing }) => [incoming ?? [], outgoing ?? []].flat()),
]

/** What of them a killed daemon left: the next one does not take them away to set them again. */
export function keptStatics({ addresses, routes, rules }: Statics): Omit<Keeps, 'link'> {
  const kept = new Set([
    ...routes.map((it) => `${routeIdentity(it)} ${it.text}`),
    ...rules.map((it) => `${ruleIdentity({ ...it, protocol: vipdProtocol })} ${it.text}`),
  ])
  const same = (it: StaticAddress, held: LinkAddress): boolean =>
    identityOf(it) === identityOfHeld(held) &&
    (ipFamily(it.address) === 6 || (it.label ?? it.interface) === held.label)
  return {
    address: (held, name) => addresses.some((it) => it.interface === name && same(it, held)),
    entry: (identity, text) => kept.has(`${identity} ${text}`),
  }
}
