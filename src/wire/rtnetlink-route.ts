/** rtnetlink's routes: requests that set, delete and dump them, and what of one tells it from the others. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, ipFromBytes } from '../base/ip.ts'
import type { LightTunnel, NextHopFields, Prefix, RouteFields } from '../base/routing.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import {
  type Attributes,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  readU32,
  u8,
  u32,
} from './netlink.ts'
import { encapAttributes } from './rtnetlink-encap.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'

/** RTA_* attributes. */
const rta = {
  destination: 1,
  from: 2,
  outgoing: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  multipath: 9,
  realms: 11,
  table: 15,
  preference: 20,
  expires: 23,
  ttlPropagate: 26,
}
/** RTAX_LOCK. */
const rtax = { lock: 1 }
const headerBytes = 12
/** struct nlmsghdr, and its flags. */
const messageBytes = 16
const flagsAt = 6
const scopeNowhere = 255
const onlinkFlag = 4
const nlmAppend = 0x800
/** The kernel's own for an IPv6 route that is given none (IP6_RT_PRIO_USER). */
const usualMetric6 = 1024

export type NextHop = NextHopFields & {
  /** 0: the kernel finds it by the gateway. */
  readonly ifindex: number
}

/** One route as it shall be. */
export type RouteSpec = RouteFields & {
  /** 0: the kernel finds it by the gateway. */
  readonly ifindex: number
  readonly protocol: number
  readonly nextHops: readonly NextHop[]
}

/**
 * RTM_NEWROUTE, acknowledged. EEXIST where the very route is there already. Never NLM_F_REPLACE, which takes the place of
 * another program's route to the same destination; but for several next hops of IPv6, of which the kernel would keep those
 * that are there and undo the others.
 */
export function encodeRouteAdd(spec: RouteSpec): Uint8Array {
  const whole = spec.family === 6 && spec.nextHops.length > 0 && spec.placing === 'prepend'
  const placing = { prepend: whole ? nlm.replace : 0, append: nlmAppend, exclusive: nlm.exclusive }
  const flags = nlm.request | nlm.ack | nlm.create | placing[spec.placing]
  return encodeMessage(type.newRoute, flags, routeBody(spec, spec.scope))
}

/**
 * The same for a route whose place another program's took (NLM_F_REPLACE). IPv4 holds several of one identity, and ours comes
 * before that one. Of IPv6 the two would be mixed, or ours would come behind, and one that is `exclusive` would be refused: there
 * ours takes its place back. `add`: by `encodeRouteAdd`.
 */
export function encodeRouteTakeBack(add: Uint8Array): Uint8Array {
  const isSix = add[messageBytes] === addressFamily[6]
  const flags = viewOf(add).getUint16(flagsAt, hostIsLittleEndian)
  if (!isSix && (flags & nlm.exclusive) === 0) return add
  const again = Uint8Array.from(add)
  const placing = nlm.exclusive | nlmAppend
  viewOf(again).setUint16(flagsAt, (flags & ~placing) | nlm.replace, hostIsLittleEndian)
  return again
}

/** RTM_DELROUTE, acknowledged, with all that the kernel compares: no other route of the same destination is meant. */
export const encodeRouteDelete = (spec: RouteSpec): Uint8Array =>
  encodeMessage(type.delRoute, nlm.request | nlm.ack, routeBody(spec, scopeNowhere))

/** RTM_GETROUTE for every route of that protocol; the kernel leaves out the others where the socket asks for strict checks. */
export function encodeRouteDump(family: Family, protocol: number): Uint8Array {
  const header = new Uint8Array(headerBytes)
  header[0] = addressFamily[family]
  header[5] = protocol
  return encodeMessage(type.getRoute, nlm.request | nlm.dump, header)
}

/** RTM_DELROUTE for the very route that a dump showed. */
export const encodeRouteForget = (told: Uint8Array): Uint8Array =>
  encodeMessage(type.delRoute, nlm.request | nlm.ack, told)

/** Routes that the kernel holds one of: table, destination, source, TOS and metric. What follows is where it leads. */
export const routeIdentity = (it: {
  readonly family: Family
  readonly table: number
  readonly destination: Prefix
  readonly from: Prefix | null
  readonly tos: number
  readonly metric: number | null
}): string => {
  const from = it.from === null ? '' : ` from ${it.from.address}/${it.from.length}`
  const to = `${it.destination.address}/${it.destination.length}`
  return `route ${it.table} ${to}${from} tos ${it.tos} metric ${metricOf(it) ?? 0}`
}

const metricOf = (it: { readonly family: Family; readonly metric: number | null }) =>
  it.metric ?? (it.family === 6 ? usualMetric6 : null)

/** struct rtmsg and its attributes, in keepalived's order. */
function routeBody(spec: RouteSpec, scope: number): Uint8Array {
  const { destination, from, table } = spec
  const small = table < 256
  const header = Uint8Array.of(
    addressFamily[spec.family],
    destination.length,
    from?.length ?? 0,
    spec.tos,
    small ? table : 0,
    spec.protocol,
    scope,
    spec.type,
    ...u32(spec.onlink ? onlinkFlag : 0),
  )
  const metric = metricOf(spec)
  return concatBytes([
    header,
    ...(small ? [] : [encodeAttribute(rta.table, u32(table))]),
    ...(destination.length === 0
      ? []
      : [encodeAttribute(rta.destination, ipBytes(destination.address))]),
    ...(from === null ? [] : [encodeAttribute(rta.from, ipBytes(from.address))]),
    ...(spec.source === null ? [] : [encodeAttribute(rta.preferredSource, ipBytes(spec.source))]),
    ...hopAttributes(spec),
    ...(metric === null ? [] : [encodeAttribute(rta.priority, u32(metric))]),
    ...metricAttributes(spec),
    ...(spec.realms === null ? [] : [encodeAttribute(rta.realms, u32(spec.realms))]),
    ...(spec.preference === null ? [] : [encodeAttribute(rta.preference, u8(spec.preference))]),
    ...(spec.expiresSeconds === null
      ? []
      : [encodeAttribute(rta.expires, u32(spec.expiresSeconds))]),
    ...(spec.ttlPropagate === null
      ? []
      : [encodeAttribute(rta.ttlPropagate, u8(spec.ttlPropagate ? 1 : 0))]),
    ...nextHopAttribute(spec.nextHops),
  ])
}

/** Where it leads, of a route or of one of its next hops. */
function hopAttributes(hop: {
  readonly via: Ip | null
  readonly ifindex?: number
  readonly encap: LightTunnel | null
}): readonly Uint8Array[] {
  const { ifindex = 0 } = hop
  return [
    ...(hop.via === null ? [] : [encodeAttribute(rta.gateway, ipBytes(hop.via))]),
    ...(hop.encap === null ? [] : encapAttributes(hop.encap)),
    ...(ifindex === 0 ? [] : [encodeAttribute(rta.outgoing, u32(ifindex))]),
  ]
}

function metricAttributes({ metrics, locked }: RouteSpec): readonly Uint8Array[] {
  if (metrics.length === 0) return []
  const words = metrics.map(({ number, value }) =>
    encodeAttribute(
      number,
      typeof value === 'number' ? u32(value) : Uint8Array.from(value, (c) => c.charCodeAt(0)),
    ),
  )
  const lock = locked === 0 ? [] : [encodeAttribute(rtax.lock, u32(locked))]
  return [encodeAttribute(rta.metrics, concatBytes([...words, ...lock]))]
}

/** struct rtnexthop, each with the attributes of its own. */
function nextHopAttribute(hops: readonly NextHop[]): readonly Uint8Array[] {
  if (hops.length === 0) return []
  const each = hops.map((hop) => {
    const { realms } = hop
    const attributes = concatBytes([
      ...hopAttributes({ via: hop.via, encap: hop.encap }),
      ...(realms === null ? [] : [encodeAttribute(rta.realms, u32(realms))]),
    ])
    const head = new Uint8Array(8)
    const view = viewOf(head)
    view.setUint16(0, head.length + attributes.length, hostIsLittleEndian)
    view.setUint8(2, hop.onlink ? onlinkFlag : 0)
    view.setUint8(3, hop.weight - 1)
    view.setUint32(4, hop.ifindex, hostIsLittleEndian)
    return concatBytes([head, attributes])
  })
  return [encodeAttribute(rta.multipath, concatBytes(each))]
}

export type RoutingMessage = {
  readonly kind: 'newroute' | 'delroute'
  readonly identity: string
  readonly protocol: number
  /** It took the place of the one of its identity (NLM_F_REPLACE); several next hops of IPv6 may also have found none. */
  readonly replaces: boolean
  /** '192.0.2.0/24 table 300', for people. */
  readonly text: string
  /** As it came, for `encodeRouteForget`; a view into the buffer. */
  readonly body: Uint8Array
}

export function decodeRoute(
  body: Uint8Array,
  kind: RoutingMessage['kind'],
  flags: number,
): Decoded<RoutingMessage, 'too-short' | 'bad-attributes' | 'other-family'> {
  const [code = 0, length = 0, fromLength = 0, tos = 0, small = 0, protocol = 0] = body
  if (body.length < headerBytes) return reject('too-short')
  const attributes = readAttributes(body.subarray(headerBytes))
  if (attributes === null) return reject('bad-attributes')
  const family = code === addressFamily[4] ? 4 : code === addressFamily[6] ? 6 : null
  if (family === null) return reject('other-family')
  const destination = readPrefix(attributes, rta.destination, family, length)
  const from = fromLength === 0 ? null : readPrefix(attributes, rta.from, family, fromLength)
  const table = readU32(attributes.get(rta.table)) ?? small
  const metric = readU32(attributes.get(rta.priority))
  const identity = routeIdentity({ family, table, destination, from, tos, metric })
  const to = `${destination.address}/${destination.length}`
  const replaces = kind === 'newroute' && (flags & nlm.replace) !== 0
  return accept({ kind, identity, protocol, replaces, text: `${to} table ${table}`, body })
}

const nowhere = { 4: '0.0.0.0' as Ip, 6: '::' as Ip }

function readPrefix(attributes: Attributes, attribute: number, family: Family, length: number) {
  const value = attributes.get(attribute)
  const whole = value?.length === (family === 4 ? 4 : 16)
  return { address: whole ? ipFromBytes(value) : nowhere[family], length }
}
