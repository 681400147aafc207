/** Start of the daemon: its configuration is read and found to run, and what an earlier one left is known. */
import type { Log } from '../base/log.ts'
import type { Config } from '../config/types.ts'
import { kernelRequest } from '../engine/native.ts'
import { Errands } from '../kernel/errands.ts'
import { Ownership } from '../kernel/record.ts'
import type { Loaded } from '../loading/load.ts'
import { keptStatics } from '../router/binding/static-facts.ts'
import { requireNetAdmin } from './capabilities.ts'
import { RunningDaemon } from './daemon.ts'
import { logDiagnostics, logTolerated } from './log-diagnostics.ts'
import { runTimed } from './process.ts'
import { ConfigError, type DaemonOptions, type StartDaemon } from './types.ts'
import type { Predecessor } from './upgrade-second.ts'
import { linksOf } from './virtual-links.ts'

/** Logs what is wrong with the file. Throws ConfigError when it cannot run. */
export function requireConfig({ config, diagnostics }: Loaded, log: Log): Config {
  logDiagnostics(log, diagnostics)
  if (config === null) throw new ConfigError(diagnostics)
  logTolerated(log, diagnostics)
  return config
}

/** The same in place of a process that still runs. `config`: with its numbers. */
export async function succeedDaemon(
  options: DaemonOptions,
  loaded: Loaded,
  config: Config,
  predecessor: Predecessor,
): Promise<RunningDaemon> {
  requireNetAdmin(config)
  const { log, runDir } = options
  const ownership = new Ownership({ runDir, log, errands: new Errands() })
  ownership.adopt(predecessor.known)
  const daemon = new RunningDaemon(options, loaded, config, ownership, predecessor)
  await daemon.succeed(predecessor)
  return daemon
}

export const startDaemon: StartDaemon = async (options, loaded, config) => {
  requireNetAdmin(config)
  const { log, runDir } = options
  const ownership = new Ownership({ runDir, log, errands: new Errands() })
  const links = new Set(linksOf(config.instances).map(({ name }) => name))
  const keeps = { ...keptStatics(config.statics), link: (name: string) => links.has(name) }
  await ownership.open(kernelRequest, keeps)
  await runTimed('startup_script', config.globals.startupScript, log)
  const daemon = new RunningDaemon(options, loaded, config, ownership)
  await daemon.start()
  return daemon
}
