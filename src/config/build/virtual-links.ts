/**
 * Which links of their own the instances need, and what each is called. Names are given in the order of the file: those
 * that are written first, then those of `use_vmac`, then those for single addresses, as keepalived does; a name that is
 * taken gets a number.
 */
import type { Family } from '../../base/ip.ts'
import { ipFamily } from '../../base/ip.ts'
import { type MacText, macText, virtualMac } from '../../base/mac.ts'
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { optionValue } from '../grammar/settle.ts'
import { globalInputs } from '../keywords/global.ts'
import { instanceOptions } from '../keywords/instance-options.ts'
import { linkNameError } from '../keywords/vmac.ts'
import type { Node } from '../language/tree-types.ts'
import type { VirtualAddress, VirtualLink, Vmac } from '../types.ts'
import { vmacWanted } from '../types.ts'

/** The virtual links of one instance, as its draft says. */
export type LinksDraft = {
  readonly vmac: Omit<Vmac, 'xmitBase'> | null
  readonly links: readonly VirtualLink[]
}

const none: LinksDraft = { vmac: null, links: [] }

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
  for (const draft of asking) claimWritten(draft, names, lowering)
  const own = new Map(asking.map((draft) => [draft, ownLink(draft, names, lowering)]))
  return new Map(
    asking.map((draft) => {
      const vmac = own.get(draft) ?? null
      return [draft, { vmac, links: linksOf(draft, vmac, names, lowering) }]
    }),
  )
}

export const linksOfDraft = (
  all: ReadonlyMap<InstanceDraft, LinksDraft>,
  draft: InstanceDraft,
): LinksDraft => all.get(draft) ?? none

const needsLinks = (draft: InstanceDraft): boolean =>
  draft.interface !== null &&
  (draft.vmac !== null || draft.vmacAddresses || allOf(draft).some((one) => one.vmac !== null))

const allOf = ({ addresses, excluded }: InstanceDraft): readonly VirtualAddress[] => [
  ...addresses,
  ...excluded,
]

function claimWritten({ name, vmac }: InstanceDraft, names: Names, lowering: Lowering): void {
  if (vmac === null || vmac.name === null) return
  const other = names.get(vmac.name)
  if (other === undefined) return void names.set(vmac.name, name)
  const message = `${name}: ${vmac.name} is an interface of ${other} already; the usual name is used`
  lowering.error(vmac.place, 'vmac', message)
  vmac.name = null
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
): readonly VirtualLink[] {
  const primary = draft.interface ?? ''
  const group = draft.vmac?.group ?? null
  /** One link for each MAC address on an interface: the kernel has no second. */
  const links = new Map<string, VirtualLink>()
  const add = (link: VirtualLink) => links.set(`${link.base} ${link.mac}`, link)
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
  const asking = lines.filter(({ keyword }) => /^use_vmac(_addr)?$/.test(keyword.text))
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

/** Why an instance cannot have its links: the kernel lets one link of a MAC address up on an interface. */
export function clashingLinks(
  all: ReadonlyMap<InstanceDraft, LinksDraft>,
): ReadonlyMap<InstanceDraft, string> {
  const taken = new Map<string, InstanceDraft>()
  const clashes = new Map<InstanceDraft, string>()
  for (const [draft, { links }] of all)
    for (const { base, mac } of links) {
      const other = taken.get(`${base} ${mac}`)
      if (other === undefined) taken.set(`${base} ${mac}`, draft)
      else if (other !== draft)
        clashes.set(
          draft,
          `its virtual MAC address ${mac} on ${base} is that of ${other.name}, and an interface carries it once`,
        )
    }
  return clashes
}
