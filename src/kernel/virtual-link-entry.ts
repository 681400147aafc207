/** How far one link of vipd's has come. */

import type { VirtualLink } from '../base/virtual-link.ts'
import { Contest } from './contest.ts'
import type { KernelLink } from './link-table.ts'
import type { OwnedLink } from './marks.ts'
import type { Ipv6Settings } from './virtual-link-shape.ts'

export type VirtualLinkEntry = {
  wish: VirtualLink | null
  readonly name: string
  /** The link of that name that vipd made; null: none yet. Another one is another program's. */
  own: number | null
  /** What is recorded of it. */
  owned: OwnedLink | null
  /** The link that is as it must be. */
  ready: number | null
  /** Of the last that was asked for; the kernel's answer is awaited. */
  busy: boolean
  /** null: nothing is wrong. */
  refused: string | null
  failures: number
  again: NodeJS.Timeout | null
  /** It has been made, by this process or an earlier one. */
  made: boolean
  readonly contest: Contest
  /** What another program does to it, while that is contested. */
  contested: string | null
  /** The wait of a contest is over. */
  waited: boolean
  /** Said once: what of the interface's other ipvlans is not as ours. */
  besides: string | null
  /** The name is taken: by that link. */
  takenBy: number | null
  /** IPv6 settings that it has. */
  ipv6: Ipv6Settings | null
  /** Why it has not. */
  ipv6Refused: string | null
}

export const newEntry = (name: string, wish: VirtualLink | null): VirtualLinkEntry => ({
  name,
  wish,
  own: null,
  owned: null,
  ready: null,
  busy: false,
  refused: null,
  failures: 0,
  again: null,
  made: false,
  contest: new Contest(),
  contested: null,
  waited: false,
  besides: null,
  takenBy: null,
  ipv6: null,
  ipv6Refused: null,
})

const againMs = { first: 1_000, longest: 60_000 }

/** How long after one that failed the next try comes, when `before` others had failed already. */
export const againAfterMs = (before: number): number =>
  Math.min(againMs.first * 2 ** before, againMs.longest)

/** What is recorded before it can be there. */
export const ownedLink = (wish: VirtualLink): OwnedLink => ({
  kind: 'link',
  name: wish.name,
  linkKind: wish.kind,
  base: wish.base,
  mac: wish.kind === 'macvlan' ? wish.mac : null,
})

/** For `status`, one sentence each. */
export function warningsOf(entry: VirtualLinkEntry, nowMs: number): readonly string[] {
  const { name, refused, ipv6Refused, besides, contest, contested } = entry
  const insists = contest.isContested(nowMs) ? contested : null
  return [
    ...(refused === null ? [] : [`${name}: ${refused}`]),
    ...(besides === null ? [] : [`${name}: ${besides}`]),
    ...(insists === null ? [] : [`${name}: ${describeContest(insists)}`]),
    ...(ipv6Refused === null
      ? []
      : [`${name}: IPv6 settings are not as they should be: ${ipv6Refused}`]),
  ]
}

/** `what` another program does: 'removes it'. */
export const describeContest = (what: string): string =>
  `another program ${what} again and again; it is set again, after ever longer waits`

/** Why a link of that name is not used. */
export const taken = ({ kind }: KernelLink): string =>
  `the name is taken by ${kind === null ? 'an interface' : `a ${kind}`} that vipd did not make; remove it, or write another name`
