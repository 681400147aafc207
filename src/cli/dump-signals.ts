/** The signals by which exporters and operators ask keepalived for its dump files. None of them ends the daemon. */
import { watchSignals } from '../addon/surroundings.ts'
import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { DumpKind } from '../surfaces/dumps/dumps.ts'
import type { DumpRequests } from './dump-requests.ts'
import { signalNumbers } from './keepalived-options.ts'

/** By number; Node has no names for those of real time. */
const realTime: Readonly<
  Record<number, { readonly name: string; readonly kind: DumpKind | null }>
> = {
  [signalNumbers.JSON]: { name: 'SIGRTMIN+2', kind: 'json' },
  [signalNumbers.STATS_CLEAR]: { name: 'SIGRTMAX-1', kind: 'clear' },
  [signalNumbers.TDATA]: { name: 'SIGRTMAX', kind: null },
}

export function dumpOnSignals(requests: DumpRequests, log: Log): void {
  const take = (name: string, kind: DumpKind | null) => void dump(name, kind, requests, log)
  // Without a listener USR2 would end the process and USR1 open Node's debugger.
  process.on('SIGUSR1', () => take('SIGUSR1', 'data'))
  process.on('SIGUSR2', () => take('SIGUSR2', 'stats'))
  watchSignals(Object.keys(realTime).map(Number), (number) => {
    const signal = realTime[number]
    if (signal !== undefined) take(signal.name, signal.kind)
  })
}

async function dump(
  name: string,
  kind: DumpKind | null,
  requests: DumpRequests,
  log: Log,
): Promise<void> {
  const refusal = kind === null ? 'nothing to dump' : requests.refusal
  if (kind === null || refusal !== null) return log.info(`${name} received; ${refusal}`)
  try {
    log.info(`${name} received: wrote ${await requests.write(kind)}`)
  } catch (error) {
    log.error(`${name}: no dump: ${textOf(error)}`)
  }
}
