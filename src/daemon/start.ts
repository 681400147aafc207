/** Start of the daemon: its configuration is read and found to run, and what an earlier one left is known. */
import { kernelRequest } from '../engine/native.ts'
import { Errands } from '../kernel/errands.ts'
import { Ownership } from '../kernel/record.ts'
import { requireNetAdmin } from './capabilities.ts'
import { RunningDaemon } from './daemon.ts'
import { logDiagnostics, logTolerated } from './log-diagnostics.ts'
import { runTimed } from './process.ts'
import { ConfigError, type StartDaemon } from './types.ts'

export const startDaemon: StartDaemon = async (options) => {
  const loaded = await options.loader.load()
  logDiagnostics(options.log, loaded.diagnostics)
  if (loaded.config === null) throw new ConfigError(loaded.diagnostics)
  logTolerated(options.log, loaded.diagnostics)
  requireNetAdmin(loaded.config)
  const { log, runDir } = options
  const ownership = new Ownership({ runDir, log, errands: new Errands() })
  await ownership.open(kernelRequest)
  await runTimed('startup_script', loaded.config.globals.startupScript, log)
  const daemon = new RunningDaemon(options, loaded, loaded.config, ownership)
  await daemon.start()
  return daemon
}
