/**
 * What a running instance is made of, and what of it another process takes over. Each part keeps what is its own; the
 * instance (instance.ts) joins them.
 */
import type { Log } from '../../base/log.ts'
import { type Us, us } from '../../base/time.ts'
import { placeOf } from '../../config/build/instance-identity.ts'
import type { Instance } from '../../config/types.ts'
import { describeFault } from '../../election/describe.ts'
import { nextDeadline } from '../../election/step.ts'
import type { Machine } from '../../election/types.ts'
import type { Engine, EngineEvent } from '../../engine/contract.ts'
import type { SlotId } from '../../engine/order.ts'
import type { Notifier } from '../../notify/notify.ts'
import { identityOf as addressIdentity } from '../../wire/address-identity.ts'
import { SocketBinding, type SocketBindingPorts } from '../binding/socket-binding.ts'
import { Claimants } from '../claims/claimants.ts'
import type { OrderQueue } from '../orders.ts'
import { AddressKeeper, type AddressKeeperPorts } from './address-keeper.ts'
import { ClaimCheck } from './claim-check.ts'
import { Competitors } from './competitors.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import { ElectionRun } from './election-run.ts'
import { EntryKeeper } from './entry-keeper.ts'
import { Journal } from './journal.ts'
import { LastSent } from './last-sent.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import { Receiver } from './receive.ts'
import { type Bound, SendingWatch } from './sending-watch.ts'
import type { SharedEntries } from './shared-entries.ts'
import { SlotOrders } from './slot-orders.ts'
import { StepFailures } from './step-failures.ts'
import { TransitionReporter } from './transition-reporter.ts'

export type InstancePorts = SocketBindingPorts & {
  readonly engine: Engine
  readonly orders: OrderQueue
  readonly shared: SharedEntries
  readonly notifier: Notifier
  readonly log: Log
  readonly happened: DispatcherPorts['happened']
  /** The wall clock in milliseconds, for people. */
  wallMs(): number
  /**
   * Another program removes the address again and again: the instance, its sync group with it, resigns and stands by.
   * False: it must stay. null: it takes part as before.
   */
  giveUpLead: AddressKeeperPorts['giveUpLead']
}

/** An event of the engine that names one slot. */
export type SlotEvent = Extract<
  EngineEvent,
  { readonly kind: 'expired' | 'failed' | 'late' | 'lapsed' | 'skewed' }
>

export type Parts = ReturnType<typeof makeParts>

export function makeParts(slot: SlotId, cfg: Instance, ports: InstancePorts) {
  const binding = new SocketBinding(slot, ports)
  const orders = new SlotOrders(slot, binding, ports.orders, ports.shared)
  const limitedLog = new RateLimitedLog(ports.log)
  const journal = new Journal(ports.wallMs)
  const { kernel, giveUpLead } = ports
  return {
    binding,
    orders,
    limitedLog,
    journal,
    election: new ElectionRun(slot, cfg, binding, ports.engine),
    receiver: new Receiver(cfg, ports.log),
    addresses: new AddressKeeper({ kernel, orders, log: limitedLog, giveUpLead }),
    entries: new EntryKeeper({ kernel, orders, log: limitedLog }),
    competitors: new Competitors(orders),
    claimants: new Claimants(),
    check: new ClaimCheck(),
    sending: new SendingWatch(slot, ports.engine, limitedLog),
    reporter: new TransitionReporter(ports, journal),
    failures: new StepFailures(ports.log),
    sent: new LastSent(slot, ports.engine, binding),
  }
}

/** The next instant at which the election, or something that was put off, wants a tick; null for none. */
export function deadlineOf(parts: Parts, bound: Bound, now: Us): Us | null {
  const { election, addresses, entries, sending, competitors, check } = parts
  const { state } = election.machine
  const wanted = [
    addresses.refusedUntil ?? nextDeadline(state),
    sending.retryAt,
    check.retryAt,
    addresses.conflictUntil,
    sending.lookAt(now, bound),
  ]
  if (state.kind === 'master')
    wanted.push(addresses.restoreAt(now), entries.restoreAt(now), competitors.due(now))
  const instants = wanted.filter((at) => at !== null)
  return instants.length === 0 ? null : us(Math.min(...instants))
}

/** `received`: adverts that the engine has counted. The limits of log lines begin anew in another process. */
export const snapshotParts = (parts: Parts, received: number) => ({
  sentAt: parts.sent.at,
  machine: parts.election.machine,
  orders: parts.orders.snapshot(),
  journal: parts.journal.snapshot(),
  receiver: parts.receiver.snapshot(received),
  competitors: parts.competitors.snapshot(),
  claimants: parts.claimants.snapshot(),
  check: parts.check.snapshot(),
  keeper: parts.addresses.snapshot(),
  sending: parts.sending.snapshot(),
  seal: parts.binding.sealMemory,
})

export function adoptParts(parts: Parts, before: ReturnType<typeof snapshotParts>): void {
  parts.sent.adopt(before.sentAt)
  parts.election.adopt(before.machine)
  parts.orders.adopt(before.orders)
  parts.journal.adopt(before.journal)
  parts.receiver.adopt(before.receiver)
  parts.competitors.adopt(before.competitors)
  parts.claimants.adopt(before.claimants)
  parts.check.adopt(before.check)
  parts.addresses.adopt(before.keeper)
  parts.sending.adopt(before.sending)
  parts.binding.recallSeal(before.seal)
}

/** What both must have in common: virtual router, version and what they hold in the kernel. */
export function identityOf(cfg: Instance) {
  const { name, version, addresses, excluded, routes, rules } = cfg
  const held = [...addresses, ...excluded].map(
    (one) => `${one.interface ?? ''} ${addressIdentity(one)}`,
  )
  const entries = [...routes, ...rules].map(({ text }) => text)
  const place = `${placeOf(cfg)}/v${version}`
  return { name, place, addresses: held.join(', '), entries: entries.join(', ') }
}

type Before = ReturnType<typeof identityOf> & { readonly machine: Machine }

/** `binding`: with the sockets of this process. null: it can go on in the place of the other. */
export function whyNotAs(before: Before, cfg: Instance, binding: SocketBinding): string | null {
  const { name, place, addresses, entries } = identityOf(cfg)
  if (before.place !== place || before.addresses !== addresses || before.entries !== entries)
    return `${name} is another virtual router here, or has other addresses, routes or rules`
  const { kind } = before.machine.state
  if ((kind !== 'backup' && kind !== 'master') || binding.link !== null) return null
  return `${name} is ${kind.toUpperCase()}, and here ${binding.faults.map(describeFault).join(', ')}`
}
