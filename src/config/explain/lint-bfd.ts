/** BFD trackers that never do what they are written for, or do harm: `takeover` beside the master, and faults by a peer. */
import { type Ip, ipFamily, isLinkLocal, sharePrefix } from '../../base/ip.ts'
import type { Place } from '../place.ts'
import type { BfdInstance, Config, Instance, Tracked } from '../types.ts'
import type { World } from '../world.ts'

type Say = (place: Place, code: string, message: string) => void

export function lintBfd(config: Config, world: World, warn: Say): void {
  const sessions = new Map(config.bfd.map((session) => [session.name, session]))
  for (const instance of config.instances) {
    const groups = config.groups.filter(({ members }) => members.includes(instance.name))
    for (const tracked of [instance, ...groups].flatMap(({ trackChecks }) => trackChecks)) {
      const session = sessions.get(tracked.name)
      if (session === undefined) continue
      if (tracked.takeover) takesNothing(instance, session, tracked, world, warn)
      else faultsSurvivor(instance, session, tracked, warn)
    }
  }
}

/** `takeover` acts only when the advert that is followed came from the session's neighbour. */
function takesNothing(
  instance: Instance,
  { name, neighbor }: BfdInstance,
  { place }: Tracked,
  world: World,
  warn: Say,
): void {
  const why = whyNoMaster(instance, neighbor, world)
  if (why === null) return
  const message = `${instance.name}: the adverts of a master will not come from ${neighbor}, ${why}: the loss of ${name} takes nothing over`
  warn(place, 'takeover-neighbor', message)
}

function whyNoMaster(
  { transport, family, addresses, excluded, interface: link }: Instance,
  neighbor: Ip,
  world: World,
): string | null {
  if ([...addresses, ...excluded].some(({ address }) => address === neighbor))
    return 'a virtual address, which moves with the master'
  if (ipFamily(neighbor) !== family) return `they are IPv${family}`
  if (transport.kind === 'unicast') {
    const isPeer = transport.peers.some(({ address }) => address === neighbor)
    return isPeer || transport.peers.length === 0 ? null : 'which is no unicast_peer'
  }
  if (family === 6) {
    // A source that is not link-local here may be none there either.
    if (isLinkLocal(neighbor) || transport.source !== null) return null
    return 'since over IPv6 they come from a link-local address'
  }
  const held = link === null ? [] : world.foreignAddresses(link)
  const near = held.filter(({ address }) => ipFamily(address) === family)
  if (near.length === 0) return null
  const same = near.some((own) => sharePrefix(own.address, neighbor, own.prefixLength))
  return same ? null : `which is in no network of ${link}`
}

/** Without a weight the loss of a session is a fault, and a peer is lost when this host is needed. */
function faultsSurvivor(
  { name, transport }: Instance,
  session: BfdInstance,
  { weight, reverse, place }: Tracked,
  warn: Say,
): void {
  if (weight !== 0 || reverse || transport.kind !== 'unicast') return
  if (!transport.peers.some(({ address }) => address === session.neighbor)) return
  const message = `${name}: ${session.name} has no weight and a unicast_peer as its neighbour: when that peer dies this instance goes to FAULT instead of taking over. Write takeover, or a weight`
  warn(place, 'bfd-peer-fault', message)
}
