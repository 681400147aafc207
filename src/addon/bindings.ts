/** What the native addon adds to Node's sockets, for the thread that asks: echo replies and news of processes. */
import { errnoName } from './errno.ts'
import { loadAddon } from './load.ts'

export type Watched = { readonly fd: number; close(): void }

type Bindings = {
  /** Messages with their IP header for IPv4, without for IPv6. Throws (CAP_NET_RAW). */
  openEcho(family: 4 | 6, onMessages: (messages: readonly Buffer[]) => void): Watched
  /** 0 or the errno. */
  sendEcho(fd: number, address: Uint8Array, octets: Uint8Array): number
  /** Told in pairs: the socket of an attempt that is decided, and its errno, 0 for connected. */
  openDial(onDecided: (decided: Int32Array) => void): Watched
  /** A socket, to be given to `hangUp` when the attempt is decided or given up; negative: an errno. */
  dial(fd: number, address: Uint8Array, port: number): number
  hangUp(socket: number): void
  /** Told in threes: the descriptor that a program was known by, whether a signal ended it, and the status or signal. */
  openPrograms(onEnded: (ends: Int32Array) => void): Watched
  /** [pid, descriptor], or the negative errno. `output`: a descriptor, or -1. */
  startProgram(
    fd: number,
    file: string,
    argv: readonly string[],
    env: readonly string[],
    output: number,
    identity: {
      readonly uid: number
      readonly gid: number
      readonly groups: readonly number[] | null
    } | null,
    noNewPrivs: boolean,
  ): readonly [number, number] | number
  /** Started by another thread, which does not answer any more: when it ends it is waited for elsewhere. */
  adoptProgram(pid: number): void
  /** Processes that began, or changed their program or name; negative: that ended. null: some were lost. Throws. */
  openProcessNews(onNews: (processes: Int32Array | null) => void): Watched
}

let loaded: Bindings | null = null

/** Loads the addon at the first call. */
export function bindings(): Bindings {
  loaded ??= loadAddon() as Bindings
  return loaded
}

/** The name of the errno that a call of the addon threw, 'EPERM'; what else it threw, as text. */
export function failureOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'errno' in error)
    return errnoName(Number(error.errno))
  return error instanceof Error ? error.message : String(error)
}
