/**
 * How the kernel tells the addresses of one interface apart: by address, prefix and peer. The number alone is not
 * enough: 10.99.0.1/22 may stand beside 10.99.0.1/24, and deleting one leaves the other (inet_rtm_deladdr,
 * inet6_addr_del).
 */
import { type Ip, ipBytes, ipFamily } from '../base/ip.ts'
import type { AddressSpec, LinkAddress } from './rtnetlink-address.ts'

export type AddressIdentity = Pick<AddressSpec, 'address' | 'prefixLength' | 'peer'>

/** Of an address as it shall be. With a peer the prefix is the peer's, as in the request. */
export const identityOf = ({ address, prefixLength, peer }: AddressIdentity): string =>
  identity(address, (peer ?? { prefixLength }).prefixLength, peer?.address ?? null)

/** Of an address as the kernel reports it. */
export const identityOfHeld = ({
  address,
  prefixLength,
  peer,
}: Pick<LinkAddress, 'address' | 'prefixLength' | 'peer'>): string =>
  identity(address, prefixLength, peer)

/**
 * What the kernel takes for one address of an interface when it is asked to add it, and of which it holds one: IPv6 the
 * address alone; IPv4 with prefix and network of the far end, so that 10.0.0.1 peer 10.0.7.8/24 and peer 10.0.7.9/24 are
 * one (rtm_to_ifaddr and find_matching_ifa, ipv6_get_ifaddr). The one that is there stays as it is.
 */
export const placeOf = (one: AddressIdentity): string =>
  ipFamily(one.address) === 6 ? one.address : `${one.address} ${networkOf(one)}`

/** The network of an IPv4 address, of the far end where there is a peer: one primary is in it, the others are secondary. */
export const networkOf = (one: AddressIdentity): string => network(one.peer ?? one)

/** Of an address as the kernel reports it. */
export const networkOfHeld = ({
  address,
  prefixLength,
  peer,
}: Pick<LinkAddress, 'address' | 'prefixLength' | 'peer'>): string =>
  network({ address: peer ?? address, prefixLength })

function network({ address, prefixLength }: Omit<AddressIdentity, 'peer'>): string {
  const bits = ipBytes(address).reduce((all, octet) => all * 256 + octet, 0)
  return `${Math.floor(bits / 2 ** (32 - prefixLength))}/${prefixLength}`
}

const identity = (address: Ip, prefixLength: number, peer: Ip | null): string =>
  `${address}/${prefixLength} ${peer ?? address}`
