/**
 * Which links of their own the instances need, and what each is called. Names are given in the order of the file: those
 * that are written first, then those of `use_vmac`, then those for single addresses, as keepalived does; a name that is
 * taken gets a number.
 */
import type { Family } from '../../base/ip.ts'
import { ipFamily } from '../../base/ip.ts'
import { type MacText, macText, virtualMac } from '../../base/mac.ts'
import type { IpvlanLink, MacvlanLink, VirtualLink } from '../../base/virtual-link.ts'
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { optionValue } from '../grammar/settle.ts'
import { globalInputs } from '../keywords/global.ts'
import { instanceOptions } from '../keywords/instance-options.ts'
import { linkNameError } from '../keywords/vmac.ts'
import type { Node } from '../language/tree-types.ts'
import type { VirtualAddress } from '../virtual-address.ts'
import { vmacWanted } from '../virtual-address.ts'
import type { Vmac } from '../vmac.ts'

/** The virtual links of one instance, as its draft says. */
export type LinksDraft = {
  readonly vmac: Omit<Vmac, 'xmitBase'> | null
  readonly ipvlan: IpvlanLink | null
  /** Both. */
  readonly links: readonly VirtualLink[]
}

const none: LinksDraft = { vmac: null, ipvlan: null, links: [] }

/** The names of links that are taken, each by an instance. */
type Names = Map<string, string>

/** Fills in the names of the links that carry addresses, and returns the links of each instance that has any. */
export function nameVirtualLinks(
  drafts: readonly InstanceDraft[],
  lowering: Lowering,
): ReadonlyMap<InstanceDraft, LinksDraft> {
  const asking = drafts.filter(needsLinks)
  if (asking.length === 0) return new Map()
  const names: Names = new Map()
  for (const { interface: name, ...draft } of drafts) if (name !== null) names.set(name, draft.name)
  for (const draft of asking) {
    withoutVmac(draft, lowering)
    claimWritten(draft, names, lowering)
  }
  const own = new Map(asking.map((draft) => [draft, ownLink(draft, names, lowering)]))
  return new Map(
    asking.map((draft) => {
      const vmac = own.get(draft) ?? null
      const ipvlan = ipvlanOf(draft, names, lowering)
      const links = linksOf(draft, vmac, names, lowering)
      return [draft, { vmac, ipvlan, links: ipvlan === null ? links : [ipvlan, ...links] }]
    }),
  )
}

export const linksOfDraft = (
  all: ReadonlyMap<InstanceDraft, LinksDraft>,
  draft: InstanceDraft,
): LinksDraft => all.get(draft) ?? none

const needsLinks = (draft: InstanceDraft): boolean =>
  draft.interface !== null &&
  (draft.vmac !== null ||
    draft.ipvlan !== null ||
    draft.vmacAddresses ||
    allOf(draft).some((one) => one.vmac !== null))

const allOf = ({ addresses, excluded }: InstanceDraft): readonly VirtualAddress[] => [
  ...addresses,
  ...excluded,
]

function claimWritten(
  { name, vmac, ipvlan }: InstanceDraft,
  names: Names,
  lowering: Lowering,
): void {
  for (const link of [vmac, ipvlan]) {
    if (link === null || link.name === null) continue
    const other = names.get(link.name)
    if (other === undefined) {
      names.set(link.name, name)
      continue
    }
    const message = `${name}: ${link.name} is an interface of ${other} already; the usual name is used`
    lowering.error(link.place, 'vmac', message)
    link.name = null
  }
}

/** As in keepalived use_ipvlan wins over use_vmac. */
function ipvlanOf(draft: InstanceDraft, names: Names, lowering: Lowering): IpvlanLink | null {
  const { ipvlan, interface: base, name: instance, source } = draft
  if (ipvlan === null || base === null) return null
  const family = draft.family ?? 4
  const { place, mode, group } = ipvlan
  if (ipvlan.address !== null && ipFamily(ipvlan.address.address) !== family) {
    const message = `${instance}: the address of use_ipvlan is not of its family; it is ignored`
    lowering.error(place, 'ipvlan', message)
    ipvlan.address = null
  }
  const own = source === null ? null : { address: source, prefixLength: family === 4 ? 32 : 128 }
  const address = ipvlan.address ?? own
  if (address === null && family === 4)
    draft.refused ??= {
      place,
      why: 'use_ipvlan of IPv4 needs an address of its own: use_ipvlan ADDRESS/LENGTH',
    }
  const name = ipvlan.name ?? freeName(prefixOf('vmacPrefix', lowering), family, draft, names)
  return { kind: 'ipvlan', name, base, mode: mode ?? 'bridge', address, group }
}

/** Where both are written. */
function withoutVmac(draft: InstanceDraft, lowering: Lowering): void {
  if (draft.ipvlan === null) return
  const both =
    draft.vmac !== null || draft.vmacAddresses || allOf(draft).some((it) => it.vmac !== null)
  if (!both) return
  const message = `${draft.name} has use_ipvlan: use_vmac is ignored, as the kernel has no virtual MAC address beside an ipvlan`
  lowering.error(draft.vmac?.place ?? draft.ipvlan.place, 'ipvlan', message)
  draft.vmac = null
  draft.vmacAddresses = false
  const plain = (entry: VirtualAddress) => ({ ...entry, vmac: null })
  draft.addresses = draft.addresses.map(plain)
  draft.excluded = draft.excluded.map(plain)
}

/** The link of `use_vmac`. */
function ownLink(
  draft: InstanceDraft,
  names: Names,
  lowering: Lowering,
): Omit<Vmac, 'xmitBase'> | null {
  const { vmac } = draft
  if (vmac === null) return null
  const family = draft.family ?? 4
  const prefix = prefixOf('vmacPrefix', lowering)
  const name = vmac.name ?? freeName(prefix, family, draft, names)
  return { name, mac: macOf(draft, family, lowering), group: vmac.group }
}

function linksOf(
  draft: InstanceDraft,
  vmac: Omit<Vmac, 'xmitBase'> | null,
  names: Names,
  lowering: Lowering,
): readonly MacvlanLink[] {
  const primary = draft.interface ?? ''
  const group = draft.vmac?.group ?? null
  /** One link for each MAC address on an interface: the kernel has no second. */
  const links = new Map<string, MacvlanLink>()
  const add = (link: MacvlanLink) => links.set(`${link.base} ${link.mac}`, link)
  if (vmac !== null)
    add({ kind: 'macvlan', name: vmac.name, base: primary, mac: vmac.mac, ipv6: false, group })
  const carried = (entry: VirtualAddress): VirtualAddress => {
    if (!isOnVmac(draft, entry)) return entry.vmac === null ? entry : { ...entry, vmac: null }
    const family = ipFamily(entry.address)
    const base = entry.interface ?? primary
    const mac = macOf(draft, family, lowering)
    const known = links.get(`${base} ${mac}`)
    const prefix = prefixOf('vmacAddressPrefix', lowering)
    const name = known?.name ?? freeName(prefix, family, draft, names)
    const ipv6 = family === 6 || (known?.ipv6 ?? false)
    add({ kind: 'macvlan', name, base, mac, ipv6, group })
    return { ...entry, vmac: name }
  }
  draft.addresses = draft.addresses.map(carried)
  draft.excluded = draft.excluded.map(carried)
  return [...links.values()]
}

/** On the instance's own interface those of its family follow use_vmac; the others ask for themselves. */
function isOnVmac(draft: InstanceDraft, { address, interface: on, vmac }: VirtualAddress): boolean {
  if (vmac === vmacWanted) return true
  const onPrimary = on === null || on === draft.interface
  if (onPrimary && ipFamily(address) === (draft.family ?? 4)) return draft.vmac !== null
  return draft.vmacAddresses && (!onPrimary || draft.vmac !== null)
}

function macOf(draft: InstanceDraft, family: Family, lowering: Lowering): MacText {
  const vrid = draft.options.get('vrid') ?? 0
  const written = draft.vmac?.mac ?? null
  if (written === null) return virtualMac(family, vrid)
  const { instances } = lowering.globals
  if (optionValue(instanceOptions, 'strict', draft.options, instances.options, lowering)) {
    const message = `${draft.name}: strict mode has no MAC address of your own; the usual one is used`
    lowering.error(written.place, 'strict-mode', message)
    if (draft.vmac !== null) draft.vmac.mac = null
    return virtualMac(family, vrid)
  }
  return macText(Uint8Array.from([...written.octets, vrid].slice(0, 6)))
}

/** keepalived's names: PREFIX.VRID, for IPv6 then PREFIX6.VRID, then PREFIX1.VRID and so on. */
function freeName(prefix: string, family: Family, draft: InstanceDraft, names: Names): string {
  const vrid = draft.options.get('vrid') ?? 0
  const first = family === 6 ? ['', '6'] : ['']
  for (let i = 0; ; i++) {
    const name = `${prefix}${first[i] ?? i - first.length + 1}.${vrid}`
    if (linkNameError(name) !== null) return freeName(usualPrefix, family, draft, names)
    if (names.has(name)) continue
    names.set(name, draft.name)
    return name
  }
}

const usualPrefix = 'vrrp'

function prefixOf(field: 'vmacPrefix' | 'vmacAddressPrefix', lowering: Lowering): string {
  const { inputs } = lowering.globals
  const own = optionValue(globalInputs, field, inputs, null, lowering)
  if (own === '') return prefixOf('vmacPrefix', lowering)
  if (linkNameError(`${own}.255`) === null) return own
  const message = `${own} makes no name of an interface: 11 characters at most, without '/', ':' and blanks; ${usualPrefix} is used`
  lowering.error(inputs.placeOf(field) ?? { file: '', line: 0, column: 0 }, 'vmac', message)
  inputs.set(field, usualPrefix, null)
  return usualPrefix
}

/**
 * Which names may be those of links that the file asks for, before it is read: a route, a rule or a tracker may name one
 * above the instance that it belongs to.
 */
export function ownLinkNames(
  nodes: readonly Node[],
  { inputs }: GlobalDraft,
): (name: string) => boolean {
  const lines = nodes.flatMap(({ keyword, block }) =>
    keyword.text === 'vrrp_instance' ? (block ?? []) : [],
  )
  const asking = lines.filter(({ keyword }) => /^use_(vmac(_addr)?|ipvlan)$/.test(keyword.text))
  const onAddress = lines.some(({ block }) =>
    block?.some(({ args }) => args.some(({ text }) => text === 'use_vmac')),
  )
  if (asking.length === 0 && !onAddress) return () => false
  const written = new Set(asking.flatMap(({ args }) => args.map(({ text }) => text)))
  const prefixes = [inputs.get('vmacPrefix') ?? usualPrefix, inputs.get('vmacAddressPrefix') ?? '']
  const isUsual = (name: string) =>
    prefixes.some((prefix) => prefix !== '' && name.startsWith(prefix) && numbered(name, prefix))
  return (name) => written.has(name) || isUsual(name)
}

const numbered = (name: string, prefix: string): boolean =>
  /^\d*\.\d{1,3}$/.test(name.slice(prefix.length))

/**
 * Why an instance cannot have its links: the kernel lets one link of a MAC address up on an interface, has no macvlan beside
 * an ipvlan there, and one mode for all ipvlans of it.
 */
export function clashingLinks(
  all: ReadonlyMap<InstanceDraft, LinksDraft>,
): ReadonlyMap<InstanceDraft, string> {
  const taken = new Map<string, InstanceDraft>()
  const kinds = new Map<string, { readonly draft: InstanceDraft; readonly text: string }>()
  const clashOf = (draft: InstanceDraft, link: VirtualLink): string | null => {
    const text = kindOf(link)
    const first = kinds.get(link.base) ?? { draft, text }
    kinds.set(link.base, first)
    if (first.text !== text)
      return `${link.base} has ${first.text} of ${first.draft.name}, and the kernel no ${text} beside`
    if (link.kind !== 'macvlan') return null
    const other = taken.get(`${link.base} ${link.mac}`) ?? draft
    taken.set(`${link.base} ${link.mac}`, other)
    if (other === draft) return null
    return `its virtual MAC address ${link.mac} on ${link.base} is that of ${other.name}, and an interface carries it once`
  }
  const clashes = new Map<InstanceDraft, string>()
  for (const [draft, { links }] of all)
    for (const link of links) {
      const clash = clashOf(draft, link)
      if (clash !== null) clashes.set(draft, clash)
    }
  return clashes
}

const kindOf = (link: VirtualLink): string =>
  link.kind === 'macvlan' ? 'virtual MAC addresses' : `ipvlan links in mode ${link.mode}`
