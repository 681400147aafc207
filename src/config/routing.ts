/** Routes and routing rules as the configuration means them. */
import type { NextHopFields, RouteFields, RuleFields } from '../base/routing.ts'
import type { Place } from './place.ts'

export type NextHop = NextHopFields & {
  /** null: the kernel finds it by the gateway. */
  readonly interface: string | null
}

/** What a line of a route and one of a rule have in common. */
export type Written = {
  /** As the operator wrote it. */
  readonly text: string
  /** Put back when another program removes it; its interface is watched. */
  readonly track: boolean
  /** Of static entries alone: the group whose instances its interface is tracked for. */
  readonly trackGroup: string | null
  readonly place: Place
}

/** null: vipd's own. */
type WrittenProtocol = { readonly protocol: number | null }

export type Route = Written &
  WrittenProtocol &
  RouteFields & {
    readonly interface: string | null
    readonly nextHops: readonly NextHop[]
    /** Its table counts instead of `table`. */
    readonly vrf: string | null
  }

export type Rule = Written &
  WrittenProtocol &
  RuleFields & {
    /** The preference is not written: it is by the place in the file, and kept over a reload. */
    readonly numbered: boolean
  }
