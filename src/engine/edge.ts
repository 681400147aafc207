/**
 * Between the contract's values and the addon's: text addresses to octets on the way down, octets and errnos to
 * text and names on the way up. Nothing else changes shape here.
 */
import { errnoName } from '../addon/errno.ts'
import { OpError } from '../base/errors.ts'
import { ipBytes, ipFromBytes } from '../base/ip.ts'
import type {
  NativeAsk,
  NativeEvent,
  NativeLead,
  NativeOrder,
  NativeOrderFor,
  NativePlan,
  NativeRepeat,
  NativeSeal,
  NativeSealMemory,
  NativeSealSender,
  NativeStep,
} from './addon.ts'
import type { EngineEvent } from './contract.ts'
import type { SealMemory, SealSender } from './counters.ts'
import type { Lead, Order, OrderFor, Plan, Repeat, Step } from './order.ts'
import type { Seal } from './seal-contract.ts'

type Ask = NonNullable<Extract<Order, { kind: 'follow' }>['ask']>

export const toNativeOrders = (orders: readonly OrderFor[]): readonly NativeOrderFor[] =>
  orders.map(({ slot, generation, order }) => ({ slot, generation, order: toNativeOrder(order) }))

function toNativeOrder(order: Order): NativeOrder {
  switch (order.kind) {
    case 'idle':
    case 'once':
      return { kind: order.kind, now: toNativePlan(order.now) }
    case 'follow': {
      const { ask, overruled, ...rest } = order
      return {
        ...rest,
        now: toNativePlan(order.now),
        ...(ask === undefined ? {} : { ask: toNativeAsk(ask) }),
        ...(overruled === undefined ? {} : { overruled: ipBytes(overruled) }),
        expect: order.expect && { ...order.expect, from: ipBytes(order.expect.from) },
        onExpiry: toNativeLead(order.onExpiry),
      }
    }
    case 'lead':
      return { kind: 'lead', ...toNativeLead(order) }
  }
}

const toNativeAsk = ({ beforeUs, plan }: Ask): NativeAsk => ({
  beforeUs,
  plan: toNativePlan(plan),
})

const toNativeLead = ({ now, repeats, resign, ...lead }: Lead): NativeLead => ({
  now: toNativePlan(now),
  repeats: repeats.map(toNativeRepeat),
  resign: toNativePlan(resign),
  lateUs: lead.lateUs,
  wardenLateUs: lead.wardenLateUs,
  ...(lead.leaseUs === undefined ? {} : { leaseUs: lead.leaseUs }),
})

const toNativeRepeat = (repeat: Repeat): NativeRepeat => ({
  ...repeat,
  plan: toNativePlan(repeat.plan),
})

const toNativePlan = (plan: Plan): NativePlan => plan.map(toNativeStep)

const toNativeStep = (step: Step): NativeStep =>
  step.kind === 'datagram' ? { ...step, to: ipBytes(step.to) } : step

export function toNativeSeal(seal: Seal | null): NativeSeal | null {
  if (seal === null) return null
  const source = ipBytes(seal.source)
  if (seal.kind === 'ah') return { ...seal, source }
  return { ...seal, source, peers: seal.peers?.map(ipBytes) ?? null }
}

export const toNativeSealMemory = (memory: SealMemory | undefined): NativeSealMemory | null =>
  memory === undefined
    ? null
    : {
        sent: memory.sent,
        heard: memory.heard.map((one) => ({ ...one, address: ipBytes(one.address) })),
      }

export const fromNativeSealMemory = ({ sent, heard }: NativeSealMemory): SealMemory => ({
  sent,
  heard: heard.map((one) => ({ ...one, address: ipFromBytes(one.address) })),
})

export const fromNativeSender = (sender: NativeSealSender): SealSender => ({
  ...sender,
  address: ipFromBytes(sender.address),
})

export const fromNativeStep = (step: NativeStep): Step =>
  step.kind === 'datagram' ? { ...step, to: ipFromBytes(step.to) } : step

export function fromNativeEvent(event: NativeEvent): EngineEvent {
  switch (event.kind) {
    case 'packet':
    case 'stranger':
    case 'skewed':
      return { ...event, from: ipFromBytes(event.from) }
    case 'failed':
    case 'linkFailed': {
      const { errno, ...rest } = event
      return { ...rest, code: errnoName(errno) }
    }
    default:
      return event
  }
}

/** Runs a native call; its failure as an OpError. A wrong argument stays a TypeError: that is a bug. */
export function native<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new OpError(error.op, errnoName(error.errno), error.detail)
  }
}

/** The same of a call that failed on another thread. */
export const failure = ({
  call,
  errno,
  detail,
}: {
  readonly call: string
  readonly errno: number
  readonly detail: string
}): OpError => new OpError(call, errnoName(errno), detail)

function isFailure(
  error: unknown,
): error is { readonly op: string; readonly errno: number; readonly detail: string } {
  return error instanceof Error && 'op' in error && 'errno' in error
}
