/** Static entries when the whole file is read: what an instance gives and takes is not theirs; which instances their groups concern. */
import type { Draft, StaticsDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { StaticAddress, Statics } from '../statics.ts'
import type { Instance } from '../types.ts'
import type { VirtualAddress } from '../virtual-address.ts'

/** Without the addresses that are written twice, or move with an instance. */
export function finishStatics(
  { addresses, routes, rules }: StaticsDraft,
  instances: readonly Instance[],
  lowering: Lowering,
): Statics {
  const virtual = new Map<string, string>()
  for (const { name, interface: own, addresses: listed, excluded } of instances)
    for (const one of [...listed, ...excluded])
      virtual.set(`${one.interface ?? own ?? ''} ${one.address}`, name)
  const kept = new Set<string>()
  const usable = ({ interface: name, address, text, place, ...one }: StaticAddress): boolean => {
    const mover = virtual.get(`${name} ${address}`)
    const key = `${name} ${identityOf({ address, ...one })}`
    const twice = kept.has(key)
    kept.add(key)
    if (mover === undefined && !twice) return true
    const why = twice ? 'is written twice' : `moves with ${mover}: it cannot be static too`
    lowering.lost(place, 'duplicate', `the static address ${text} ${why}; this one is left out`)
    return false
  }
  return { addresses: addresses.filter(usable), routes, rules }
}

const identityOf = (it: Pick<VirtualAddress, 'address' | 'prefixLength' | 'peer'>): string =>
  `${it.address}/${it.prefixLength} ${it.peer?.address ?? ''}/${it.peer?.prefixLength ?? ''}`

/** Each member of a track_group with the interfaces of its entries. */
export function withStaticInterfaces(
  instances: readonly Instance[],
  draft: Draft,
  statics: Statics,
  lowering: Lowering,
): readonly Instance[] {
  const interfaces = interfacesByGroup(statics)
  const named = new Map<string, Set<string>>()
  const defined = new Set(draft.instances.map(({ name }) => name))
  for (const { name: group, members } of draft.statics.trackGroups.values())
    for (const { name, place } of members ?? []) {
      if (!defined.has(name)) {
        const message = `there is no instance ${name}; track_group ${group} goes without it`
        lowering.lost(place, 'unknown-instance', message)
        continue
      }
      const all = named.get(name) ?? new Set()
      named.set(name, all)
      for (const one of interfaces.get(group) ?? []) all.add(one)
    }
  if (named.size === 0) return instances
  return instances.map((it) => ({ ...it, staticInterfaces: [...(named.get(it.name) ?? [])] }))
}

function interfacesByGroup({ addresses, routes, rules }: Statics): Map<string, Set<string>> {
  const byGroup = new Map<string, Set<string>>()
  const note = (group: string | null, name: string | null) => {
    if (group === null || name === null) return
    byGroup.set(group, (byGroup.get(group) ?? new Set()).add(name))
  }
  for (const it of [...addresses, ...routes]) note(it.trackGroup, it.interface)
  for (const it of rules) note(it.trackGroup, it.incoming)
  return byGroup
}
