/**
 * Which instance is which: within a file, where two may not be the same virtual router, and between two versions of a
 * file, where the one that runs goes on as the one that is wanted.
 */
import { groupBy } from '../../base/collections.ts'
import type { Instance } from '../types.ts'

export type Pairing<R> = {
  /** Goes on, altered perhaps. */
  readonly kept: readonly { readonly from: R; readonly to: Instance }[]
  readonly removed: readonly R[]
  readonly added: readonly Instance[]
}

/**
 * What an instance is, as in keepalived, but for a unicast source: VRID, family, interface and transport, with the
 * group. The name is free to change, and so are the source and the peers: several unicast instances may have one place.
 */
export function placeOf(instance: Instance): string {
  const known = places.get(instance)
  if (known !== undefined) return known
  const { vrid, family, interface: link, transport } = instance
  const end = transport.kind === 'multicast' ? transport.group : '-'
  const place = `${vrid}/IPv${family}/${link ?? '-'}/${transport.kind}/${end}`
  places.set(instance, place)
  return place
}

/** An instance never changes, and a plan asks for the place of thousands again and again. */
const places = new WeakMap<Instance, string>()

/** Each wanted instance goes on from one that runs in its place, if there is one. */
export function pairInstances<R extends { readonly cfg: Instance }>(
  running: readonly R[],
  wanted: readonly Instance[],
): Pairing<R> {
  const before = groupBy(running, ({ cfg }) => placeOf(cfg))
  const kept: { readonly from: R; readonly to: Instance }[] = []
  const added: Instance[] = []
  for (const [place, all] of groupBy(wanted, placeOf)) {
    const free = new Set(before.get(place) ?? [])
    const strangers = all.filter((to) => !take(free, to, closest))
    for (const to of strangers) if (!take(free, to, anyOf)) added.push(to)
  }
  const going = new Set(kept.map(({ from }) => from))
  return { kept, removed: running.filter((one) => !going.has(one)), added }

  function take(free: Set<R>, to: Instance, choose: typeof closest<R>): boolean {
    const from = choose(free, to)
    if (from === null) return false
    free.delete(from)
    kept.push({ from, to })
    return true
  }
}

/** The one that shares the most peers; of equals the one of the same name. A multicast place has one instance. */
function closest<R extends { readonly cfg: Instance }>(
  free: ReadonlySet<R>,
  to: Instance,
): R | null {
  let best: R | null = null
  let score = 0
  for (const one of free) {
    const alike = 2 * sharedPeers(one.cfg, to).length + (one.cfg.name === to.name ? 1 : 0)
    if (alike > score) [best, score] = [one, alike]
  }
  return best
}

const anyOf = <R>(free: ReadonlySet<R>): R | null => free.values().next().value ?? null

/** Addresses that both expect adverts from. */
function sharedPeers({ transport: a }: Instance, { transport: b }: Instance): readonly string[] {
  if (a.kind !== 'unicast' || b.kind !== 'unicast') return []
  const theirs = new Set(b.peers.map(({ address }) => address))
  return a.peers.flatMap(({ address }) => (theirs.has(address) ? [address] : []))
}

export type Clash = { readonly one: Instance; readonly other: Instance; readonly message: string }

/** Two instances may share a VRID only on different links, families, groups or sets of peers. In the file's order. */
export function doubleVrids(instances: readonly Instance[]): readonly Clash[] {
  const earlier = new Map<string, Instance[]>()
  return instances.flatMap((one) => {
    const place = placeOf(one)
    const before = earlier.get(place) ?? []
    earlier.set(place, before)
    const other = before.find((it) => clash(it, one))
    before.push(one)
    return other === undefined ? [] : [{ one, other, message: clashMessage(one, other) }]
  })
}

const clash = (a: Instance, b: Instance): boolean =>
  a.transport.kind === 'multicast' || sharedPeers(a, b).length > 0

function clashMessage(one: Instance, other: Instance): string {
  const shared = sharedPeers(one, other)
  const peers = shared.length === 0 ? '' : ` and the peer ${shared.join(', ')}`
  const where = `with IPv${one.family} on ${one.interface ?? 'no interface'}`
  return `${one.name} and ${other.name} both use VRID ${one.vrid}${peers} ${where}`
}
