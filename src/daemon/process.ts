/**
 * What the daemon asks for itself, beside the network: the engine's scheduling, its own niceness, and the
 * startup and shutdown scripts.
 */
import { setPriority } from 'node:os'
import type { Log } from '../base/log.ts'
import { usToMilliseconds } from '../base/time.ts'
import { describeResult, succeeded } from '../checks/verdict/describe.ts'
import type { Globals, TimedCommand } from '../config/types.ts'
import type { EngineOptions } from '../engine/contract.ts'
import type { ExchangeHandle } from '../engine/succession-contract.ts'
import type { LinkDelay } from '../kernel/link-delays.ts'
import { runOnThread } from '../threads/timed-program.ts'

/** Without vrrp_rt_priority the engine's thread is real-time where that is permitted. */
const unaskedPriority = 50

/** `succeeds`: of a process that takes the place of another. */
export function engineOptions(globals: Globals, succeeds?: ExchangeHandle): EngineOptions {
  return {
    ...(succeeds === undefined ? {} : { succeeds }),
    realtimePriority: globals.realtimePriority > 0 ? globals.realtimePriority : unaskedPriority,
    rttimeUs: globals.rttimeUs,
    lockMemory: globals.noSwap,
    livenessUs: globals.livenessUs,
  }
}

/** interface_up_down_delays as the kernel's mirror counts. */
export const linkDelays = ({ interfaceDelays }: Globals): readonly LinkDelay[] =>
  interfaceDelays.map((it) => ({
    interface: it.interface,
    downMs: usToMilliseconds(it.downUs),
    upMs: usToMilliseconds(it.upUs),
  }))

/** vrrp_priority; refused permission is said, not fatal. */
export function applyNice(globals: Globals, log: Log): void {
  if (globals.nice === null) return
  try {
    setPriority(globals.nice)
  } catch (error) {
    log.warn(`vrrp_priority ${globals.nice} is not permitted: ${String(error)}`)
  }
}

/** Startup or shutdown script: run once, bounded by its timeout, its failure reported and survived. */
export async function runTimed(what: string, timed: TimedCommand | null, log: Log): Promise<void> {
  if (timed === null) return
  const { command: program, runAs } = timed.command
  if (program.kind !== 'argv' && program.kind !== 'shell') {
    const why = program.kind === 'broken' ? program.why : 'it starts no program'
    return log.error(`${what} was not run: ${why}`)
  }
  const timeoutMs = timed.timeoutUs / 1000
  const outcome = await runOnThread({ program, runAs, timeoutMs })
  const report = succeeded(outcome) ? log.info : log.error
  report(`${what} ${describeResult({ name: what, outcome, output: '', durationMs: 0 })}`)
}
