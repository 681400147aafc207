/** What a process can change of where it runs, and the signals that Node has no names for, through the addon. */
import { Socket } from 'node:net'
import { errnoName } from './errno.ts'
import { loadAddon } from './load.ts'

type Surroundings = {
  /** 0 or the errno. */
  enterNetwork(path: string): number
  useProcessors(processors: readonly number[]): number
  allowCores(): number
  /** µs; 0: not known. */
  tickUs(): number
  /** A descriptor, or the negative errno. */
  watchSignals(numbers: readonly number[]): number
}

const surroundings = (): Surroundings => loadAddon() as Surroundings
const named = (errno: number): string | null => (errno === 0 ? null : errnoName(errno))

/** Where ip-netns(8) and keepalived have the network namespace of that name. */
export const namespacePath = (name: string): string => `/run/netns/${name}`

/** All that this thread opens and starts from now on is in that network namespace. null, or the errno's name. */
export const enterNetwork = (path: string): string | null =>
  named(surroundings().enterNetwork(path))

/** 0 to 4095 each. This process, and what it starts, runs on these alone. null, or the errno's name. */
export const useProcessors = (processors: readonly number[]): string | null =>
  named(surroundings().useProcessors(processors))

/** A core dump may be written when the process dies of a fault. null, or the errno's name. */
export const allowCores = (): string | null => named(surroundings().allowCores())

/** The step in which the kernel counts its timeouts, in µs; 0: it does not say. */
export const tickUs = (): number => surroundings().tickUs()

/** `onSignal` with the number of each that arrives, real-time signals too. Once in a process; throws with a `code`. */
export function watchSignals(numbers: readonly number[], onSignal: (signal: number) => void): void {
  const fd = surroundings().watchSignals(numbers)
  if (fd < 0) throw Object.assign(new Error('signals cannot be watched'), { code: errnoName(-fd) })
  const pipe = new Socket({ fd, readable: true, writable: false })
  pipe.on('data', (octets: Buffer) => {
    for (const signal of octets) onSignal(signal)
  })
  pipe.unref()
}
