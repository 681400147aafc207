/**
 * An instance's routes and rules as requests, resolved to the interfaces that they name. A route over an interface that
 * is absent waits for it; a rule names its interfaces, and the kernel lets them come and go.
 */

import type { Route, Rule } from '../../config/routing.ts'
import type { Instance } from '../../config/types.ts'
import type { EntryFacts } from '../../engine/plans-entries.ts'
import type { OwnedEntry } from '../../kernel/marks.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { vipdProtocol } from '../../wire/rtnetlink-address.ts'
import {
  encodeRouteAdd,
  encodeRouteDelete,
  type RouteSpec,
  routeIdentity,
} from '../../wire/rtnetlink-route.ts'
import {
  encodeRuleAdd,
  encodeRuleDelete,
  type RuleSpec,
  ruleIdentity,
} from '../../wire/rtnetlink-rule.ts'

type Links = Pick<KernelView, 'linkByName'>
type Entries = Pick<Instance, 'routes' | 'rules'>

/** Routes first: a rule leads to them. */
export const entryFacts = ({ routes, rules }: Entries, links: Links): readonly EntryFacts[] => [
  ...routes.flatMap((route) => routeFacts(route, links) ?? []),
  ...rules.map(ruleFacts),
]

/** Routes that wait, each with the interface that is absent, or that is no VRF. */
export const waitingRoutes = (
  { routes }: Pick<Instance, 'routes'>,
  links: Links,
): readonly { readonly text: string; readonly interface: string }[] =>
  routes.flatMap((route) => {
    const [absent] = interfacesOf(route).filter((name) => !isThere(name, route, links))
    return absent === undefined ? [] : [{ text: route.text, interface: absent }]
  })

/** Interfaces of routes and rules whose loss is a fault. */
export const trackedInterfaces = ({ routes, rules }: Entries): readonly string[] => [
  ...routes.filter(({ track }) => track).flatMap(leadingOver),
  ...rules
    .filter(({ track }) => track)
    .flatMap(({ incoming, outgoing }) => [incoming ?? [], outgoing ?? []].flat()),
]

/** What may come into the kernel, for the record. */
export const ownedEntries = (entries: readonly EntryFacts[]): readonly OwnedEntry[] =>
  entries.map(({ kind, identity, text, remove }) => ({
    kind,
    identity,
    text,
    remove: Buffer.from(remove).toString('hex'),
  }))

/** Every interface that a route needs: those that it leads over, and the VRF whose table it is in. */
export const interfacesOf = (route: Route): readonly string[] => [
  ...leadingOver(route),
  ...(route.vrf === null ? [] : [route.vrf]),
]

const leadingOver = (route: Route): readonly string[] => [
  ...(route.interface === null ? [] : [route.interface]),
  ...route.nextHops.flatMap((hop) => hop.interface ?? []),
]

function isThere(name: string, { vrf }: Route, links: Links): boolean {
  const link = links.linkByName(name)
  return link !== null && (name !== vrf || link.vrfTable !== null)
}

function routeFacts(route: Route, links: Links): EntryFacts | null {
  if (interfacesOf(route).some((name) => !isThere(name, route, links))) return null
  const indexOf = (name: string | null) =>
    name === null ? 0 : (links.linkByName(name)?.ifindex ?? 0)
  const spec: RouteSpec = {
    ...route,
    table: (route.vrf === null ? null : links.linkByName(route.vrf)?.vrfTable) ?? route.table,
    protocol: route.protocol ?? vipdProtocol,
    ifindex: indexOf(route.interface),
    nextHops: route.nextHops.map((hop) => ({ ...hop, ifindex: indexOf(hop.interface) })),
  }
  const { text, track } = route
  const own = { identity: routeIdentity(spec), text, track }
  return { kind: 'route', ...own, add: encodeRouteAdd(spec), remove: encodeRouteDelete(spec) }
}

function ruleFacts(rule: Rule): EntryFacts {
  const spec: RuleSpec = { ...rule, protocol: rule.protocol ?? vipdProtocol }
  const { text, track } = rule
  const own = { identity: ruleIdentity(spec), text, track }
  return { kind: 'rule', ...own, add: encodeRuleAdd(spec), remove: encodeRuleDelete(spec) }
}
