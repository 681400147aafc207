/** The signals by which exporters and operators ask keepalived for its dump files. None of them ends the daemon. */
import { constants } from 'node:os'
import { watchSignals } from '../addon/surroundings.ts'
import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { DumpKind } from '../surfaces/dumps/dumps.ts'
import type { DumpRequests } from './dump-requests.ts'
import { signalNumbers } from './keepalived-options.ts'
import type { PassedOn } from './passed-on.ts'
import type { Running } from './running.ts'

/** By number; Node has no names for those of real time. */
const realTime: Readonly<
  Record<number, { readonly name: string; readonly kind: DumpKind | null }>
> = {
  [signalNumbers.JSON]: { name: 'SIGRTMIN+2', kind: 'json' },
  [signalNumbers.STATS_CLEAR]: { name: 'SIGRTMAX-1', kind: 'clear' },
  [signalNumbers.TDATA]: { name: 'SIGRTMAX', kind: null },
}

export function dumpOnSignals(of: {
  readonly dumps: DumpRequests
  readonly log: Log
  readonly running: Running
  readonly passed: PassedOn
}): void {
  const take = async (number: number, name: string, kind: DumpKind | null) => {
    const { succeededBy } = await of.running.started
    if (succeededBy !== null) return of.passed.signal(succeededBy, name, number)
    await dump(name, kind, of.dumps, of.log)
  }
  // Without a listener USR2 would end the process and USR1 open Node's debugger.
  process.on('SIGUSR1', () => void take(constants.signals.SIGUSR1, 'SIGUSR1', 'data'))
  process.on('SIGUSR2', () => void take(constants.signals.SIGUSR2, 'SIGUSR2', 'stats'))
  watchSignals(Object.keys(realTime).map(Number), (number) => {
    const signal = realTime[number]
    if (signal !== undefined) void take(number, signal.name, signal.kind)
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
