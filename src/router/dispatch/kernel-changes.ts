/** Which instances a change of the kernel concerns: links, addresses, forwarding. */
import type { Log } from '../../base/log.ts'
import type { AddressAltered, KernelAddress } from '../../kernel/address-table.ts'
import { type DelayNews, describeDelay } from '../../kernel/link-delays.ts'
import { linkNews } from '../../kernel/link-news.ts'
import type { KernelLink, LinkChange } from '../../kernel/link-table.ts'
import type { Kernel, KernelChange } from '../../kernel/mirror.ts'
import { watchedInterfaces } from '../tracking/tracker.ts'
import type { Roster } from './roster.ts'

type Concerned = {
  readonly roster: Roster
  readonly kernel: Pick<Kernel, 'linkByIndex' | 'linkByName' | 'hasAgain' | 'isSuppressed'>
  readonly log: Log
}

/** All changes of one batch, after the mirror has taken them in. */
export function routeKernelChanges(changes: readonly KernelChange[], to: Concerned): void {
  const { roster, log } = to
  for (const { name, text } of linkNews(changes)) {
    if (isTracked(name, roster) && !isOwn(name, roster)) log.info(text)
    else log.debug(text)
    linkChanged(name, to)
  }
  for (const change of changes) routeOne(change, to, changes)
  if (changes.some(({ kind }) => kind === 'address')) followOthers(roster)
}

/** A change of a link is told by name, with all others of its batch. */
function routeOne(change: KernelChange, to: Concerned, batch: readonly KernelChange[]): void {
  switch (change.kind) {
    case 'link':
      return onSwitch(change, to)
    case 'delayed':
    case 'flapped':
      return onDelay(change, to)
    case 'address':
      return onAddress(change, to, batch)
    case 'forwarding':
      return onForwarding(change.ifindex, to)
    case 'address-altered':
      return onAltered(change, to.roster)
    case 'entry-gone':
      for (const instance of to.roster.instances) instance.keeper.entryVanished(change)
      return
    default:
      return
  }
}

function onSwitch({ name, before, after }: LinkChange, { roster, kernel }: Concerned): void {
  const off = before?.on === true && after?.on === false && before.ifindex === after.ifindex
  if (!off || kernel.linkByName(name)?.on !== false) return
  for (const instance of roster.instances) instance.keeper.linkSwitchedOff(name)
}

function onForwarding(ifindex: number, to: Concerned): void {
  const link = to.kernel.linkByIndex(ifindex)
  if (link !== null) linkChanged(link.name, to)
}

/** A flap: what the kernel dropped when the link went down, and did not say, is set again. */
function onDelay(news: DelayNews, { roster, log }: Concerned): void {
  const { kind, name, up } = news
  if (kind === 'delayed') return log.info(describeDelay(news))
  log.info(`${name} is ${up ? 'up' : 'down'} again before the change counted`)
  if (!up) return
  for (const instance of roster.instances) {
    const { cfg, binding } = instance
    const on = (it: { readonly interface: string | null }) => it.interface === name
    const holds = [...cfg.addresses, ...cfg.excluded].some(on)
    if (holds || binding.primary?.name === name) instance.keeper.holdAddresses('returned')
    // A route may lead over it though nothing else of the instance is there.
    else instance.keeper.holdEntries()
  }
}

/** Addresses that ours would take along came, went or are primary now. */
function followOthers({ instances }: Roster): void {
  for (const instance of instances) if (instance.binding.outdated) instance.refresh()
}

/** Instances without an interface of their own are on the one that holds their source. */
function linkChanged(name: string, { roster, kernel }: Concerned): void {
  for (const instance of roster.instances) {
    const { cfg, binding } = instance
    const watches = (): boolean => watchedInterfaces(cfg, roster.groupOf(instance)).has(name)
    const concerned = cfg.interface === null || binding.sourceLink?.name === name
    if (!concerned && !watches()) continue
    instance.refresh()
    roster.assess(instance)
    if (kernel.linkByName(name)?.up === true) instance.keeper.holdEntries()
  }
}

/** A link that vipd makes, and switches on and off: what happens to it is told where it matters. */
const isOwn = (name: string, roster: Roster): boolean =>
  roster.instances.some(({ cfg }) => cfg.virtualLinks.some((it) => it.name === name))

/** What went with a link that was deleted or switched off comes back with the link. */
const isDark = (link: KernelLink | null, roster: Roster): boolean =>
  link === null || (!link.on && isOwn(link.name, roster))

/** The configuration names the interface, or the source of an instance is on it. */
const isTracked = (name: string, roster: Roster): boolean =>
  roster.instances.some(
    (it) =>
      it.binding.primary?.name === name ||
      it.binding.sourceLink?.name === name ||
      watchedInterfaces(it.cfg, roster.groupOf(it)).has(name),
  )

function onAddress(
  change: KernelChange & { kind: 'address' },
  to: Concerned,
  batch: readonly KernelChange[],
): void {
  const { held, foreign } = change
  if (!to.roster.isVirtual(held.address)) return onSource(held, to)
  if (!foreign) return onVirtual(change, to, batch)
  // What the host has by its own configuration may be a source although it is virtual: an owner's.
  onSource(held, to)
  for (const instance of to.roster.instances) if (instance.has(held.address)) instance.refresh()
}

function onSource({ ifindex, address }: KernelAddress, { roster, kernel }: Concerned): void {
  const link = kernel.linkByIndex(ifindex)
  if (link !== null) roster.sourceChanged(link.name, address)
}

function onVirtual(
  { held, present }: KernelChange & { kind: 'address' },
  to: Concerned,
  batch: readonly KernelChange[],
): void {
  const { roster, kernel } = to
  if (held.duplicate) {
    for (const instance of roster.instances) instance.keeper.addressDuplicate(held)
    return
  }
  if (present || kernel.hasAgain(held) || isDark(kernel.linkByIndex(held.ifindex), roster)) return
  onVanished(held, to, batch)
}

/** Set again by one instance, unless it is as another one of them sets it. */
function onAltered(told: AddressAltered, { instances }: Roster): void {
  const answers = instances
    .filter((it) => it.has(told.held.address))
    .map((it) => ({ it, accepts: it.keeper.acceptsAddress(told) }))
  if (answers.some(({ accepts }) => accepts === true)) return
  answers.find(({ accepts }) => accepts === false)?.it.keeper.addressAltered(told)
}

function onVanished(
  held: KernelAddress,
  { roster, kernel }: Concerned,
  batch: readonly KernelChange[],
): void {
  const wasDown = kernel.isSuppressed(held.ifindex) || hasReturned(held.ifindex, batch)
  for (const instance of roster.instances) instance.keeper.addressVanished(held, wasDown)
}

const hasReturned = (ifindex: number, batch: readonly KernelChange[]): boolean =>
  batch.some((it) => it.kind === 'flapped' && it.ifindex === ifindex && it.up)
