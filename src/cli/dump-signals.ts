/** The signals by which exporters and operators ask keepalived for its dump files. None of them ends the daemon. */
import { watchSignals } from '../addon/surroundings.ts'
import type { Log } from '../base/log.ts'
import type { Daemon } from '../daemon/types.ts'
import { type DumpKind, Dumps } from '../surfaces/dumps/dumps.ts'
import { signalNumbers } from './keepalived-options.ts'

/** By number; Node has no names for those of real time. */
const realTime: Readonly<
  Record<number, { readonly name: string; readonly kind: DumpKind | null }>
> = {
  [signalNumbers.JSON]: { name: 'SIGRTMIN+2', kind: 'json' },
  [signalNumbers.STATS_CLEAR]: { name: 'SIGRTMAX-1', kind: 'clear' },
  [signalNumbers.TDATA]: { name: 'SIGRTMAX', kind: null },
}

/** `daemon`: null while it starts. */
export function dumpOnSignals(daemon: () => Daemon | null, log: Log): void {
  const dumps = new Dumps()
  const take = (name: string, kind: DumpKind | null) => void dump(name, kind, daemon(), dumps, log)
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
  daemon: Daemon | null,
  dumps: Dumps,
  log: Log,
): Promise<void> {
  if (kind === null || daemon === null) return log.info(`${name} received; nothing to dump`)
  const directory = daemon.dumpDirectory
  if (directory === null)
    return log.info(`${name} received; vipd_dumps in global_defs switches the dump files on`)
  try {
    log.info(`${name} received: wrote ${await dumps.write(kind, directory, () => daemon.dump())}`)
  } catch (error) {
    log.error(`${name}: no dump: ${error instanceof Error ? error.message : String(error)}`)
  }
}
