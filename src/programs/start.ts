/**
 * Starts programs and hears of their ends, for the thread that calls: through the addon, for Node's own spawn forks, which
 * takes milliseconds in a process of this size and holds up its other threads.
 */
import { constants } from 'node:os'
import { bindings, type Watched } from '../addon/bindings.ts'
import { errnoName } from '../addon/errno.ts'
import type { RunAs } from '../base/command.ts'

export type Ended = { readonly status: number } | { readonly signal: string }

export type Program = {
  /** Absolute. */
  readonly file: string
  readonly args: readonly string[]
  /** For standard output and error; null: nowhere. */
  readonly output: number | null
  /** null: the process's own. */
  readonly runAs: RunAs | null
  /** It and what it starts gain nothing from set-user-ID programs and file capabilities. */
  readonly noNewPrivs: boolean
}

/** A program that could not be started; `code` is the errno's name. */
export class NotStarted extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

let set: Watched | null = null
/** By the descriptor that the kernel tells its end with. */
const running = new Map<number, (ended: Ended) => void>()
/** A thread that waits for a program lives on, as with Node's own. */
let awake: NodeJS.Timeout | null = null
const wakeMs = 2 ** 31 - 1

/** The pid, which is also its process group. Throws NotStarted. */
export function startProgram(
  { file, args, output, runAs, noNewPrivs }: Program,
  ended: (ended: Ended) => void,
): number {
  set ??= bindings().openPrograms(take)
  const started = bindings().startProgram(
    set.fd,
    file,
    [file, ...args],
    environment(),
    output ?? -1,
    runAs,
    noNewPrivs,
  )
  if (typeof started === 'number') throw new NotStarted(errnoName(-started))
  const [pid, descriptor] = started
  running.set(descriptor, ended)
  awake ??= setInterval(() => undefined, wakeMs)
  return pid
}

/** One that was started by another thread, which is lost: this process waits for its end, and tells it to no thread. */
export const adoptProgram = (pid: number): void => bindings().adoptProgram(pid)

/** All are taken out before the first is told: a receiver may start another program under the same descriptor. */
function take(ends: Int32Array): void {
  const told: (() => void)[] = []
  for (let i = 0; i < ends.length; i += 3) {
    const [descriptor = -1, bySignal = 0, number = 0] = ends.subarray(i, i + 3)
    const ended = running.get(descriptor)
    running.delete(descriptor)
    if (ended === undefined) continue
    told.push(() => ended(bySignal === 0 ? { status: number } : { signal: signalName(number) }))
  }
  for (const tell of told) tell()
  if (running.size > 0 || awake === null) return
  clearInterval(awake)
  awake = null
}

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))
const signalName = (number: number): string => signals.get(number) ?? `signal ${number}`

/** Inherited, minus what could change how a script is read or loaded. It does not change while the thread lives. */
function environment(): readonly string[] {
  inherited ??= Object.entries(process.env)
    .filter(([name]) => !['IFS', 'LD_PRELOAD', 'LD_LIBRARY_PATH'].includes(name))
    .map(([name, value]) => `${name}=${value}`)
  return inherited
}
let inherited: readonly string[] | null = null
