/**
 * All that one process of the daemon passes to the next, as one plain value with a version: the router's state, and what
 * the parts beside it know and cannot find out anew.
 */

import { textOf } from '../base/errors.ts'
import type { VirtualLink } from '../base/virtual-link.ts'
import type { CheckPool, PassedCheck } from '../checks/verdict/pool-contract.ts'
import type { BfdSuccession } from '../engine/bfd-contract.ts'
import { inheritedSockets } from '../engine/exchange.ts'
import type { EngineFigures } from '../engine/figures.ts'
import type { SlotId } from '../engine/order.ts'
import type { Started, Succession } from '../engine/succession-contract.ts'
import type { LinkDelays } from '../kernel/link-delays.ts'
import type { Ownership } from '../kernel/record.ts'
import type { Held, SettingsKeeper } from '../kernel/settings-keeper.ts'
import type { VirtualLinks } from '../kernel/virtual-links.ts'
import type { NotifySettings, PassableNotifier, PassedNotifier } from '../notify/notify.ts'
import type { Dispatcher } from '../router/dispatch/dispatcher.ts'
import type { RouterState } from '../router/dispatch/router-state.ts'
import { checkSpecs } from './check-specs.ts'
import type { Counted, Counts } from './counted.ts'
import type { NftTables } from './nft-tables.ts'
import type { PassedUpgrades, UpgradeRecord } from './upgrade-record.ts'

/**
 * Another number for each change of the shape or the meaning, but for those of the router's state, which has a number of
 * its own: what is not understood is refused, older or newer.
 */
export const passedVersion = 4

export type PassedState = {
  readonly version: typeof passedVersion
  readonly router: RouterState
  /** Slots of that process, by instance. */
  readonly slots: readonly (readonly [string, SlotId])[]
  readonly ownership: ReturnType<Ownership['snapshot']>
  readonly settings: readonly Held[]
  readonly links: NonNullable<ReturnType<VirtualLinks['snapshot']>>
  readonly tables: NonNullable<ReturnType<NftTables['snapshot']>>
  readonly checks: readonly PassedCheck[]
  readonly notifier: PassedNotifier
  /** How many descriptors go with this state, by its number: sockets of BFD sessions. null: it has none. */
  readonly sockets: { readonly attempt: number; readonly count: number } | null
  readonly upgrades: PassedUpgrades
  /** By slot of that process. */
  readonly engine: EngineFigures
  readonly counted: Counted
}

/** The parts of the daemon that have something to pass. */
export type PassableParts = {
  readonly dispatcher: Dispatcher
  readonly ownership: Ownership
  readonly settings: SettingsKeeper
  readonly links: VirtualLinks
  readonly tables: NftTables
  readonly pool: CheckPool
  readonly notifier: PassableNotifier
  readonly bfd: BfdSuccession
  readonly record: UpgradeRecord
  readonly succession: Pick<Succession, 'figures'>
  readonly counts: Counts
  readonly delays: Pick<LinkDelays, 'snapshot'>
}

/** Why there is no state that could be passed on just now. */
export type NotYet = { readonly why: string }

/** `to`: the process that it is for; `attempt`: its number there. Throws OpError: sockets cannot be passed on. */
export function passedState(
  parts: PassableParts,
  to: Pick<Started, 'exchange' | 'sockets'>,
  attempt: number,
): PassedState | NotYet {
  const { dispatcher, ownership } = parts
  const router = dispatcher.state()
  if ('ok' in router) return { why: router.why }
  const settings = parts.settings.snapshot()
  const links = parts.links.snapshot()
  const tables = parts.tables.snapshot()
  const notifier = parts.notifier.snapshot()
  if (settings === null) return { why: 'settings of interfaces are being changed' }
  if (links === null) return { why: 'links are being made' }
  if (tables === null) return { why: 'an nft table is being written' }
  if (notifier === null) return { why: 'a notification is still on its way' }
  const hasSessions = dispatcher.config.bfd.length > 0
  const count = hasSessions ? parts.bfd.offer(to, attempt) : 0
  if (count === null) return { why: 'a BFD session has just changed' }
  return {
    version: passedVersion,
    router,
    slots: dispatcher.instances.map(({ name, slot }) => [name, slot] as const),
    ownership: ownership.snapshot(),
    settings,
    links,
    tables,
    checks: parts.pool.snapshot(),
    notifier,
    sockets: hasSessions ? { attempt, count } : null,
    upgrades: parts.record.pass(attempt),
    engine: parts.succession.figures(dispatcher.instances.map(({ slot }) => slot)),
    counted: parts.counts.total,
  }
}

/** A state of another process; a sentence that says why it is not understood. */
export function readPassed(state: unknown): PassedState | string {
  const version =
    typeof state === 'object' && state !== null && 'version' in state ? state.version : null
  if (version === passedVersion) return state as PassedState
  const found = typeof version === 'number' ? `version ${version}` : 'no known version'
  return `the state that was passed has ${found}: this program reads version ${passedVersion}`
}

/** Before the slots are taken: nothing is altered. The state, or a sentence that says why not. */
export function adoptState(
  parts: PassableParts,
  state: unknown,
  links: readonly VirtualLink[],
): PassedState | string {
  const passed = readPassed(state)
  if (typeof passed === 'string') return passed
  try {
    const { sockets } = passed
    if (sockets !== null) parts.bfd.inherit(inheritedSockets, sockets.attempt, sockets.count)
  } catch (error) {
    return `the sockets of the BFD sessions did not come: ${textOf(error)}`
  }
  parts.ownership.adopt(passed.ownership)
  parts.settings.adopt(passed.settings)
  parts.links.adopt(passed.links, links)
  parts.tables.adopt(passed.tables, parts.dispatcher.config)
  parts.pool.adopt(passed.checks)
  parts.record.adopt(passed.upgrades)
  parts.counts.adopt(passed.counted)
  return parts.dispatcher.adopt(passed.router) ?? passed
}

/** Once they are taken: what those parts hold is this process's, and followed from here on. */
export function takeParts(
  { dispatcher, ownership, settings, links, pool, notifier, bfd, record }: PassableParts,
  state: PassedState | null,
  wanted: {
    readonly settings: Parameters<SettingsKeeper['set']>[0]
    readonly links: readonly VirtualLink[]
    readonly notify: NotifySettings
  },
): void {
  const { scripts } = dispatcher.config
  if (state !== null) notifier.adopt(state.notifier, wanted.notify)
  bfd.endInheritance()
  record.took()
  ownership.takeOver()
  settings.set(wanted.settings)
  links.want(wanted.links)
  pool.set(checkSpecs(scripts))
}
