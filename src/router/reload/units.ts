/**
 * What has to change together. Most instances change by themselves; those of a sync group change with it, since its
 * members move together, and so do unicast instances with one VRID, of which one may take over another's peers, and
 * instances of which one takes over another's address. A unit is applied without a pause, so that an event meets each
 * instance old or new.
 */
import { groupBy } from '../../base/collections.ts'
import type { Ip } from '../../base/ip.ts'
import { placeOf } from '../../config/build/instance-identity.ts'
import type { Instance, SyncGroup } from '../../config/types.ts'
import type { VirtualAddress } from '../../config/virtual-address.ts'
import type { SlotId } from '../../engine/order.ts'
import { same } from './same.ts'

/** An instance that goes on. `altered`: not as it is. */
export type Kept = {
  readonly slot: SlotId
  readonly from: Instance
  readonly to: Instance
  readonly altered: boolean
}

export type Unit = {
  /** Leave: priority 0 if master, addresses and VRID released. */
  readonly release: readonly SlotId[]
  /** Altered or, within a group that changes, as they are. */
  readonly keep: readonly Kept[]
  readonly acquire: readonly Instance[]
  /** Names of sync groups that end, and those that begin or go on with other members or settings. */
  readonly ungroup: readonly string[]
  readonly regroup: readonly SyncGroup[]
}

export type Parts = {
  readonly kept: readonly Kept[]
  readonly removed: readonly { readonly slot: SlotId; readonly cfg: Instance }[]
  readonly added: readonly Instance[]
  /** The sync groups of the two configurations. */
  readonly old: readonly SyncGroup[]
  readonly next: readonly SyncGroup[]
}

/** Units in which something changes; those that only release first, those that only acquire last. Step by step. */
export function* unitsOf(parts: Parts): Generator<void, readonly Unit[]> {
  const bonds = bondsOf(parts)
  yield
  const root = (instance: Instance): string => bonds.root(bondOf(instance))
  const releases = groupBy(parts.removed, ({ cfg }) => root(cfg))
  const keeps = groupBy(parts.kept, ({ to }) => root(to))
  yield
  const acquires = groupBy(parts.added, root)
  const ungroups = groupBy(parts.old, ({ name }) => bonds.root(groupBond(name)))
  const regroups = groupBy(parts.next, ({ name }) => bonds.root(groupBond(name)))
  const roots = new Set([...releases.keys(), ...keeps.keys(), ...acquires.keys()])
  // A group without a running member is a unit by itself.
  for (const key of [...ungroups.keys(), ...regroups.keys()]) roots.add(key)
  yield
  const units = [...roots].map((key) => ({
    release: (releases.get(key) ?? []).map(({ slot }) => slot),
    keep: keeps.get(key) ?? [],
    acquire: acquires.get(key) ?? [],
    ungroup: (ungroups.get(key) ?? []).map(({ name }) => name),
    regroup: regroups.get(key) ?? [],
    before: ungroups.get(key) ?? [],
  }))
  return units
    .filter((unit) => changes(unit))
    .map(({ before: _, ...unit }) => unit)
    .sort((a, b) => rank(a) - rank(b))
}

function changes(unit: Unit & { readonly before: readonly SyncGroup[] }): boolean {
  if (unit.release.length > 0 || unit.acquire.length > 0) return true
  return unit.keep.some(({ altered }) => altered) || !same(unit.before, unit.regroup)
}

function rank({ release, keep, acquire }: Unit): number {
  if (release.length > 0) return keep.length === 0 && acquire.length === 0 ? 0 : 1
  return keep.length > 0 ? 2 : 3
}

/** A running instance by its old name and place, and its new ones; a unicast place holds all of its instances. */
function bondsOf({ kept, removed, added, old, next }: Parts): Bonds {
  const bonds = new Bonds()
  const before = new Map<string, string>()
  const after = new Map<string, string>()
  for (const { from, to } of kept) {
    bonds.tie(bondOf(from), bondOf(to))
    before.set(from.name, bondOf(from))
    after.set(to.name, bondOf(to))
  }
  for (const { cfg } of removed) before.set(cfg.name, bondOf(cfg))
  for (const instance of added) after.set(instance.name, bondOf(instance))
  const tieGroup = ({ name, members }: SyncGroup, named: ReadonlyMap<string, string>) => {
    for (const member of members) {
      const bond = named.get(member)
      if (bond !== undefined) bonds.tie(groupBond(name), bond)
    }
  }
  tieAddresses(
    bonds,
    [...kept.map(({ from }) => from), ...removed.map(({ cfg }) => cfg)],
    [...kept.map(({ to }) => to), ...added],
  )
  for (const group of old) tieGroup(group, before)
  for (const group of next) tieGroup(group, after)
  return bonds
}

/** Who had an address and who is to have it. */
function tieAddresses(bonds: Bonds, old: readonly Instance[], next: readonly Instance[]): void {
  const had = new Map<Ip, string>()
  for (const instance of old)
    for (const { address } of addressesOf(instance)) had.set(address, bondOf(instance))
  for (const instance of next) {
    const own = bondOf(instance)
    for (const { address } of addressesOf(instance)) {
      const bond = had.get(address)
      if (bond !== undefined && bond !== own) bonds.tie(bond, own)
    }
  }
}

/** An instance keeps its place when it is altered, and a place without unicast is one instance's. */
const bondOf = placeOf

export const addressesOf = ({ addresses, excluded }: Instance): readonly VirtualAddress[] => [
  ...addresses,
  ...excluded,
]

const groupBond = (name: string): string => `sync group ${name}`

/** Union-find over strings. */
class Bonds {
  readonly #parent = new Map<string, string>()

  root(key: string): string {
    let at = key
    for (;;) {
      const parent = this.#parent.get(at)
      if (parent === undefined) break
      at = parent
    }
    if (at !== key) this.#parent.set(key, at)
    return at
  }

  tie(a: string, b: string): void {
    if (a === b) return
    const [from, to] = [this.root(a), this.root(b)]
    if (from !== to) this.#parent.set(from, to)
  }
}
