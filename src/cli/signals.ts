/** The signals that order the daemon to stop or to load its configuration anew. None of them is lost. */
import { constants } from 'node:os'
import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ReloadResult } from '../daemon/types.ts'
import type { PassedOn } from './passed-on.ts'
import type { Running } from './running.ts'

export function onSignals(of: {
  readonly log: Log
  readonly running: Running
  readonly passed: PassedOn
  stop(): void
  reload(force: boolean): Promise<ReloadResult>
}): void {
  const { log, stop } = of
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info(`${signal} received, stopping`)
      stop()
    })
  }
  // During a start, or an upgrade, it waits: what sends a signal is not told that it was refused.
  const hangUp = async () => {
    const daemon = await of.running.started
    await daemon.upgradeDecided()
    const { succeededBy } = daemon
    if (succeededBy === null) return void (await of.reload(false))
    of.passed.signal(succeededBy, 'SIGHUP', constants.signals.SIGHUP)
  }
  process.on('SIGHUP', () => {
    log.info('SIGHUP received, reloading')
    hangUp().catch((error: unknown) => log.error(`Reload failed: ${textOf(error)}`))
  })
}
