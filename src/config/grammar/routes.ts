/**
 * A route in the words of ip-route(8) as keepalived reads them: in any order, the next hops last; a word that is nothing
 * else is the destination.
 */
import { type Family, type Ip, ipFamily } from '../../base/ip.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import type { NextHop, Route } from '../routing.ts'
import type { Mutable, RouteDraft } from './route-draft.ts'
import { readEncap } from './route-encap.ts'
import { readMetric } from './route-metrics.ts'
import { EntryDropped, RoutingWords } from './routing-words.ts'

/** RTN_*. */
const types: Readonly<Record<string, number>> = {
  unicast: 1, local: 2, brd: 3, broadcast: 3, anycast: 4, multicast: 5, blackhole: 6, unreachable: 7, prohibit: 8, throw: 9,
  nat: 10, xresolve: 11,
} // biome-ignore format: a table
const leadsNowhere: ReadonlySet<number> = new Set([6, 7, 8, 9])
const mainTable = 254
/** RT_SCOPE_HOST for what is local, RT_SCOPE_LINK for what is on the link: the kernel refuses a wider one. */
const narrow: Readonly<Record<number, number>> = { 2: 254, 3: 253, 4: 253, 5: 253 }
const ownProtocol = 18

type Take = (route: RouteDraft, word: Word, words: RoutingWords) => void

const take: Readonly<Record<string, Take>> = {
  to: readTo,
  inet: (route) => {
    route.family = 4
  },
  inet6: (route) => {
    route.family = 6
  },
  via: readVia,
  gw: (route, word, words) => {
    words.lowering.error(word, 'deprecated', 'gw is an old word; today it is via')
    readVia(route, word, words)
  },
  or: readOr,
  src: (route, word, words) => {
    route.source = sameFamily(route, words.address(word), word, words)
  },
  from: (route, word, words) => {
    route.from = words.prefix(word, 6)
  },
  as: (_route, word, words) => {
    words.skip('to')
    words.value(word)
    words.lowering.error(word, 'route', '"as to" is for MPLS routes alone; it is ignored')
  },
  dev: readDevice,
  oif: readDevice,
  table: (route, word, words) => {
    route.table = words.named(word, 'rt_tables', 0xffff_ffff)
  },
  vrf: (route, word, words) => {
    route.vrf = words.interface(word)
  },
  protocol: (route, word, words) => {
    route.protocol = words.named(word, 'rt_protos', 255)
  },
  scope: (route, word, words) => {
    route.scope = words.named(word, 'rt_scopes', 255)
  },
  metric: readPriority,
  priority: readPriority,
  preference: readPriority,
  tos: readTos,
  dsfield: readTos,
  onlink: (route) => {
    route.onlink = true
  },
  realms: (route, word, words) => {
    route.realms = words.realms(word)
  },
  pref: (route, word, words) => {
    const value = words.value(word)
    const named = { low: 3, medium: 0, high: 1 }[value.text]
    route.preference = named ?? words.numberFrom(value, word.text, 0, 255)
  },
  expires: (route, word, words) => {
    route.expiresSeconds = words.number(word)
  },
  'ttl-propagate': (route, word, words) => {
    const value = words.value(word)
    if (value.text !== 'enabled' && value.text !== 'disabled')
      words.drop(value, 'unknown-word', 'ttl-propagate is enabled or disabled')
    route.ttlPropagate = value.text === 'enabled'
  },
  encap: (route, word, words) => {
    route.encap = readEncap(word, words)
  },
  add: (route) => {
    route.placing = 'exclusive'
  },
  append: (route) => {
    route.placing = 'append'
  },
  prepend: (route) => {
    route.placing = 'prepend'
  },
  no_track: (route) => {
    route.track = false
  },
  nexthop: (route, word, words) => {
    route.nextHops = [...route.nextHops, readNextHop(route, word, words)]
  },
}

/** null: it is left out, which has been said. `group`: track_group is a word of it. */
export function readRoute(
  node: Node,
  lowering: Lowering,
  { group }: { readonly group: boolean },
): Route | null {
  const words = new RoutingWords(node, 'route', lowering)
  const draft = emptyRoute(words.text, node)
  try {
    for (let word = words.next(); word !== null; word = words.next())
      readWord(draft, word, words, group)
    return finishRoute(draft, node, words)
  } catch (error) {
    if (error instanceof EntryDropped) return null
    throw error
  }
}

const emptyRoute = (text: string, node: Node): RouteDraft => ({
  family: null,
  destination: null,
  scope: null,
  type: 1,
  from: null,
  via: null,
  interface: null,
  source: null,
  table: mainTable,
  vrf: null,
  protocol: null,
  metric: null,
  tos: 0,
  onlink: false,
  realms: null,
  metrics: [],
  locked: 0,
  preference: null,
  expiresSeconds: null,
  ttlPropagate: null,
  encap: null,
  nextHops: [],
  placing: 'prepend',
  track: true,
  trackGroup: null,
  text,
  place: node.place,
})

function readWord(route: RouteDraft, word: Word, words: RoutingWords, group: boolean): void {
  const { text } = word
  const known = Object.hasOwn(take, text) ? take[text] : undefined
  if (known !== undefined) return known(route, word, words)
  if (group && text === 'track_group') {
    route.trackGroup = words.value(word).text
    return
  }
  if (readMetric(route, word, words)) return
  const type = Object.hasOwn(types, text) ? types[text] : undefined
  if (type !== undefined) {
    route.type = type
    return
  }
  setDestination(route, word, words)
}

function setDestination(route: RouteDraft, word: Word, words: RoutingWords): void {
  const prefix = words.prefixFrom(word, route.family ?? 4)
  if (prefix === null) words.drop(word, 'unknown-word', `${word.text} means nothing in a route`)
  if (route.destination !== null) {
    const message = `the route has two destinations; ${word.text} counts`
    words.lowering.warning(word, 'duplicate', message)
  }
  route.destination = { word, prefix }
}

function readTo(route: RouteDraft, word: Word, words: RoutingWords): void {
  const value = words.value(word)
  const type = Object.hasOwn(types, value.text) ? types[value.text] : undefined
  if (type === undefined) return setDestination(route, value, words)
  route.type = type
  setDestination(route, words.value(value), words)
}

function readVia(route: RouteDraft, word: Word, words: RoutingWords): void {
  route.via = sameFamily(route, words.address(word), word, words)
}

function readDevice(route: RouteDraft, word: Word, words: RoutingWords): void {
  route.interface = words.interface(word)
}

function readPriority(route: RouteDraft, word: Word, words: RoutingWords): void {
  route.metric = words.number(word)
}

function readTos(route: RouteDraft, word: Word, words: RoutingWords): void {
  route.tos = words.named(word, 'rt_dsfield', 255)
}

/** `via A or B`: two next hops. */
function readOr(route: RouteDraft, word: Word, words: RoutingWords): void {
  words.lowering.error(word, 'deprecated', 'or is an old word; today they are two nexthop')
  const hop = { interface: null, weight: 1, onlink: false, realms: null, encap: null }
  const second = sameFamily(route, words.address(word), word, words)
  const first = route.via === null ? [] : [{ ...hop, via: route.via }]
  route.nextHops = [...route.nextHops, ...first, { ...hop, via: second }]
  route.via = null
}

function readNextHop(route: RouteDraft, at: Word, words: RoutingWords): NextHop {
  const hop: Mutable<NextHop> = {
    via: null,
    interface: null,
    weight: 1,
    onlink: false,
    realms: null,
    encap: null,
  }
  while (Object.hasOwn(takeOfHop, words.peek() ?? '')) {
    const word = words.next()
    if (word !== null) takeOfHop[word.text]?.(hop, word, words, route)
  }
  if (hop.via === null && hop.interface === null)
    words.drop(at, 'route', 'a nexthop needs via or dev')
  return hop
}

type TakeOfHop = (hop: Mutable<NextHop>, word: Word, words: RoutingWords, route: RouteDraft) => void

const takeOfHop: Readonly<Record<string, TakeOfHop>> = {
  via: (hop, word, words, route) => {
    hop.via = sameFamily(route, words.address(word), word, words)
  },
  dev: (hop, word, words) => {
    hop.interface = words.interface(word)
  },
  weight: (hop, word, words) => {
    hop.weight = words.number(word, 1, 256)
  },
  onlink: (hop) => {
    hop.onlink = true
  },
  encap: (hop, word, words) => {
    hop.encap = readEncap(word, words)
  },
  realms: (hop, word, words) => {
    hop.realms = words.realms(word)
  },
}

/** Families are not mixed, as in keepalived. */
function sameFamily(route: RouteDraft, address: Ip, word: Word, words: RoutingWords): Ip {
  const family = ipFamily(address)
  route.family ??= family
  if (route.family === family) return address
  return words.drop(word, 'mixed-families', `IPv4 and IPv6 are mixed at ${word.text} ${address}`)
}

function finishRoute(draft: RouteDraft, node: Node, words: RoutingWords): Route {
  const { destination, scope } = draft
  if (destination === null) return words.drop(node.keyword, 'route', 'a route needs a destination')
  const unsaid = ['default', 'any', 'all'].includes(destination.word.text)
  const family = unsaid ? (draft.family ?? 4) : ipFamily(destination.prefix.address)
  if (draft.family !== null && draft.family !== family)
    return words.drop(destination.word, 'mixed-families', 'IPv4 and IPv6 are mixed')
  const prefix = unsaid ? words.prefixFrom(destination.word, family) : destination.prefix
  requireSense(draft, family, node, words)
  return {
    ...draft,
    family,
    destination: prefix ?? destination.prefix,
    scope: scope ?? (family === 4 ? (narrow[draft.type] ?? 0) : 0),
  }
}

function requireSense(draft: RouteDraft, family: Family, node: Node, words: RoutingWords): void {
  const { via, nextHops, type, from } = draft
  const at = node.keyword
  if (from !== null && (family === 4 || ipFamily(from.address) === 4))
    words.drop(at, 'route', 'from is for IPv6 routes alone')
  if (nextHops.length > 0 && (via !== null || draft.interface !== null))
    words.drop(at, 'route', 'via or dev beside nexthop is refused by the kernel')
  if (!leadsNowhere.has(type) && via === null && draft.interface === null && nextHops.length === 0)
    words.drop(at, 'route', 'a route needs via, dev or nexthop')
  settleTracking(draft, at, words)
}

function settleTracking(draft: RouteDraft, at: Word, { lowering }: RoutingWords): void {
  const { nextHops, type, track, protocol } = draft
  const own = protocol === null || protocol === ownProtocol
  if (track && !own) {
    const message = `a route that is tracked has the protocol of the daemon (no_track allows for another); ${protocol} is ignored`
    lowering.error(at, 'route', message)
  }
  if (track || own) draft.protocol = null
  if (!track || leadsNowhere.has(type) || draft.interface !== null || nextHops.length > 0) return
  const message =
    'the interface of a route without dev is not watched (no_track says that it is meant)'
  lowering.error(at, 'route', message)
}
