/**
 * What an upgrade in place needs of the system (docs/upgrading.md): the memory that two processes of one daemon share while
 * the second takes the place of the first, how the second is started, and what it inherits.
 */

import { errnoName } from '../addon/errno.ts'
import { loadAddon } from '../addon/load.ts'
import { OpError } from '../base/errors.ts'
import { native } from './edge.ts'
import type { ExchangeHandle, Started } from './succession-contract.ts'

/** What the addon exports for an exchange. */
export type ExchangeAddon = {
  makeExchange(): ExchangeHandle
  openExchange(memory: number, toSecond: number, toFirst: number): ExchangeHandle
  exchangeDescriptors(exchange: ExchangeHandle): readonly [number, number, number]
  socketPair(): readonly [number, number]
  packetPair(): readonly [number, number]
  keepFromPrograms(fd: number): void
  closeDescriptor(fd: number): number
  startSuccessor(
    file: string,
    argv: readonly string[],
    env: readonly string[],
    descriptors: readonly number[],
  ): number
  endSuccessor(pid: number): void
  signalSuccessor(pid: number, signal: number): boolean
  heldLock(path: string): number
  heldName(name: string): number
  inheritLock(path: string, fd: number): boolean
  inheritName(name: string, fd: number): boolean
}

const addon = loadAddon() as ExchangeAddon

/** Where a successor finds what it was given, in this order; the numbers are native/host/successor.h's. */
const places = {
  ...{ channel: 3, lock: 4, name: 5, memory: 6, toSecond: 7, toFirst: 8, sockets: 9 },
} as const

/** Where it is sent sockets (native/base/descriptors.h). Nothing is there if the first process does not pass any. */
export const inheritedSockets: number = places.sockets

export type Program = {
  readonly file: string
  /** The first is what it is called by. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Starts a program that is to take the place of this process. It inherits the lock of the run directory and the name that
 * this process holds. Throws OpError.
 */
export function startSuccessor(
  { file, argv, env }: Program,
  held: { readonly lock: string; readonly name: string },
): Started {
  const lock = addon.heldLock(held.lock)
  const name = addon.heldName(held.name)
  if (lock < 0 || name < 0)
    throw new OpError('lock', 'ENOLCK', 'this process holds none to pass on')
  const exchange = native(() => addon.makeExchange())
  const [near, far] = native(() => addon.socketPair())
  const [sockets, theirSockets] = native(() => addon.packetPair())
  const variables = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  )
  const given = [far, lock, name, ...addon.exchangeDescriptors(exchange), theirSockets]
  const pid = addon.startSuccessor(file, argv, variables, given)
  for (const fd of [far, theirSockets]) addon.closeDescriptor(fd)
  if (pid > 0) return { pid, channel: near, sockets, exchange }
  for (const fd of [near, sockets]) addon.closeDescriptor(fd)
  throw new OpError('posix_spawn', errnoName(-pid), file)
}

/** Kills it, if it still is that process, and closes what only it was for. */
export function endSuccessor({ pid, sockets }: Pick<Started, 'pid' | 'sockets'>): void {
  addon.endSuccessor(pid)
  addon.closeDescriptor(sockets)
}

/** That signal to it, if it still is that process; 0: none. False: it has ended. */
export const signalSuccessor = (pid: number, signal: number): boolean =>
  addon.signalSuccessor(pid, signal)

/** In a process that was started so: the connected stream, and the shared memory, or why it is not understood. */
export function inheritedExchange(): {
  readonly channel: number
  readonly exchange: ExchangeHandle | OpError
} {
  const { channel, memory, toSecond, toFirst, sockets } = places
  addon.keepFromPrograms(sockets)
  return { channel, exchange: openExchange([memory, toSecond, toFirst]) }
}

/** The memory, and what wakes each of the two; closed in any case. */
export function openExchange(
  descriptors: readonly [number, number, number],
): ExchangeHandle | OpError {
  try {
    return native(() => addon.openExchange(...descriptors))
  } catch (error) {
    if (error instanceof OpError) return error
    throw error
  }
}

/** Whether what was inherited is that lock. It is this process's own from then on. */
export const inheritLock = (path: string): boolean => addon.inheritLock(path, places.lock)
/** Whether what was inherited is that name. */
export const inheritName = (name: string): boolean => addon.inheritName(name, places.name)
