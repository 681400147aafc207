/**
 * What a vipd puts into the kernel beside the sockets of its own process, as plain values: each outlives a killed
 * process and must be told from what others put there. A record names what a run directory's daemon may have put
 * there; it is written before the kernel is asked (ownership.ts) and read by the next daemon and by `vipd cleanup`.
 */
import { unreachable } from '../base/assert.ts'
import type { Ip } from '../base/ip.ts'
import { type MacText, parseMac } from '../base/mac.ts'
import { identityOfHeld } from '../wire/address-identity.ts'
import { splitMessages } from '../wire/netlink.ts'
import type { LinkAddress } from '../wire/rtnetlink-address.ts'
import { type } from '../wire/rtnetlink-numbers.ts'
import { type Ipv4Setting, isIpv4Setting } from '../wire/rtnetlink-settings.ts'

/** A kind that the reader does not know makes a record unusable. */
export type OwnedObject =
  | OwnedAddress
  | OwnedEntry
  | OwnedLink
  | ChangedSetting
  | { readonly kind: 'nft-table'; readonly family: 'inet'; readonly name: string }

/** As the kernel reports it: with a peer the prefix is the peer's. */
export type OwnedAddress = Pick<LinkAddress, 'ifindex' | 'address' | 'prefixLength' | 'peer'> & {
  readonly kind: 'address'
  /** Its name at that time: an index is given to another interface after a reboot. */
  readonly interface: string
}

export type OwnedEntry = {
  readonly kind: 'route' | 'rule'
  readonly identity: string
  /** As the operator wrote it. */
  readonly text: string
  /** The request that removes it and no other (RTM_DELROUTE, RTM_DELRULE), hexadecimal. */
  readonly remove: string
}

/** An IPv4 setting of a link that is not vipd's: to have `original` again, if it still has `ours`. */
export type ChangedSetting = {
  readonly kind: 'setting'
  readonly interface: string
  readonly ifindex: number
  readonly name: Ipv4Setting
  readonly ours: number
  readonly original: number
  /** About to be set back: what another vipd sees of it is no claim any more. */
  readonly releasing: boolean
}

/** A link that vipd makes. */
export type OwnedLink = {
  readonly kind: 'link'
  readonly name: string
  readonly linkKind: 'macvlan' | 'ipvlan'
  /** Name of the interface that it sits on. */
  readonly base: string
  /** null of an ipvlan, which has that of the interface. */
  readonly mac: MacText | null
}

/** What is noted on a link (IFLA_IFALIAS), so that it is known without the record. */
export const linkMark = 'vipd'

export type OwnershipRecord = {
  /** Of this boot and this network namespace alone the objects mean anything. */
  readonly scope: Scope
  readonly pid: number
  readonly objects: readonly OwnedObject[]
}

export type Scope = { readonly bootId: string; readonly netns: string }

export type RecordRead =
  | { readonly kind: 'none' }
  | { readonly kind: 'record'; readonly record: OwnershipRecord }
  /** It cannot be known what it names. */
  | { readonly kind: 'unusable'; readonly why: string }

/** Raised whenever an older reader would misunderstand a record. */
const version = 1

export function objectKey(object: OwnedObject): string {
  switch (object.kind) {
    case 'address':
      return `address ${object.interface} ${object.ifindex} ${identityOfHeld(object)}`
    case 'route':
    case 'rule':
      return `${object.identity} ${object.remove}`
    case 'setting': {
      const { interface: link, ifindex, name, ours, original, releasing } = object
      return `setting ${link} ${ifindex} ${name} ${ours} ${original} ${releasing}`
    }
    case 'link':
      return `link ${object.name} ${object.linkKind} ${object.base} ${object.mac}`
    case 'nft-table':
      return `nft-table ${object.family} ${object.name}`
    default:
      return unreachable(object)
  }
}

export const encodeRecord = (record: OwnershipRecord): string =>
  `${JSON.stringify({ version, ...record }, null, 1)}\n`

export function decodeRecord(text: string): RecordRead {
  const unusable = (why: string): RecordRead => ({ kind: 'unusable', why })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unusable('it is no JSON')
  }
  if (!isObject(value)) return unusable('it is no record')
  if (value['version'] !== version)
    return unusable(`its version is ${String(value['version'])}, known is ${version}`)
  const { scope, pid, objects } = value
  if (!isObject(scope) || typeof scope['bootId'] !== 'string' || typeof scope['netns'] !== 'string')
    return unusable('it has no scope')
  if (typeof pid !== 'number' || !Array.isArray(objects)) return unusable('it has no objects')
  const { bootId, netns } = scope
  const known = objects.flatMap((object) => asOwned(object) ?? [])
  if (known.length < objects.length) return unusable('it names an object of an unknown kind')
  return { kind: 'record', record: { scope: { bootId, netns }, pid, objects: known } }
}

export const sameScope = (a: Scope, b: Scope): boolean =>
  a.bootId === b.bootId && a.netns === b.netns

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function asOwned(value: unknown): OwnedObject | null {
  if (!isObject(value)) return null
  const { kind } = value
  if (kind === 'address') return asAddress(value)
  if (kind === 'route' || kind === 'rule') return asEntry(kind, value)
  if (kind === 'setting') return asSetting(value)
  if (kind === 'link') return asLink(value)
  if (kind !== 'nft-table' || value['family'] !== 'inet') return null
  const { name } = value
  return typeof name === 'string' ? { kind, family: 'inet', name } : null
}

/** Nothing but a removal of such an entry is ever carried out from a record. */
function asEntry(kind: OwnedEntry['kind'], value: Fields): OwnedEntry | null {
  const { identity, text, remove } = value
  if (typeof identity !== 'string' || typeof text !== 'string') return null
  if (typeof remove !== 'string' || !/^([\da-f]{2})+$/.test(remove)) return null
  const { messages, whole } = splitMessages(Buffer.from(remove, 'hex'))
  const wanted = kind === 'route' ? type.delRoute : type.delRule
  if (!whole || messages.length !== 1 || messages[0]?.type !== wanted) return null
  return { kind, identity, text, remove }
}

function asSetting(value: Fields): ChangedSetting | null {
  const { ifindex, name, ours, original, releasing } = value
  const link = value['interface']
  if (typeof link !== 'string' || typeof name !== 'string' || !isIpv4Setting(name)) return null
  if (typeof ifindex !== 'number' || typeof releasing !== 'boolean') return null
  if (typeof ours !== 'number' || typeof original !== 'number') return null
  return { kind: 'setting', interface: link, ifindex, name, ours, original, releasing }
}

function asLink(value: Fields): OwnedLink | null {
  const { name, linkKind, base, mac } = value
  if (typeof name !== 'string' || typeof base !== 'string') return null
  if (linkKind === 'ipvlan') return { kind: 'link', name, linkKind, base, mac: null }
  if (linkKind !== 'macvlan' || typeof mac !== 'string' || parseMac(mac, [6]) === null) return null
  return { kind: 'link', name, linkKind, base, mac }
}

function asAddress(value: Fields): OwnedObject | null {
  const { ifindex, address, prefixLength, peer } = value
  const name = value['interface']
  if (typeof ifindex !== 'number' || typeof prefixLength !== 'number') return null
  if (typeof address !== 'string' || typeof name !== 'string') return null
  if (peer !== null && typeof peer !== 'string') return null
  return {
    kind: 'address',
    interface: name,
    ifindex,
    address: address as Ip,
    prefixLength,
    peer: peer as Ip | null,
  }
}
