/**
 * Wardens of the daemons before this one. One that was stopped or starved when its daemon was killed still means to
 * give up that daemon's leads, in the name of addresses that are now this daemon's. Each holds a lock on a file of the
 * run directory for as long as it lives (native/warden/warden_wire.h says why none can be missed); a daemon leads nothing
 * before the last has ended.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { killLockHolder, lockHolder } from '../engine/native.ts'
import { wardenLock } from './warden.ts'

/** What it takes a warden to give up thousands of addresses, once: it cleans up better than a kill does. */
const workMs = 2_000
/** A killed process ends at once, unless the kernel holds it. */
const endMs = 5_000
const lookMs = 5

/**
 * Waits for them, kills those that do not end by themselves. For the holder of the run directory's lock alone: it is
 * what keeps new ones from appearing. Throws OpError ETIMEDOUT when one lives on.
 */
export async function endStaleWardens(runDir: string, log: Pick<Log, 'warn'>): Promise<void> {
  const path = wardenLock(runDir)
  if ((await remaining(path, workMs)) === null) return
  const end = performance.now() + endMs
  for (;;) {
    const pid = lockHolder(path)
    if (pid === null) return
    log.warn(`The warden of an earlier daemon has not ended: killing it`, { pid })
    const refused = pid === 0 ? 'ESRCH' : killLockHolder(path, pid)
    if (refused !== null)
      throw new OpError('kill', refused, `the warden (process ${pid}) of an earlier vipd`)
    const left = await remaining(path, end - performance.now(), pid)
    if (left === null) return
    if (left === pid)
      throw new OpError('kill', 'ETIMEDOUT', `the warden (process ${pid}) of an earlier vipd`)
  }
}

/** Waits until that process (else: every process) has let go of the lock. Who holds it then, or null. */
async function remaining(path: string, withinMs: number, pid?: number): Promise<number | null> {
  const end = performance.now() + withinMs
  for (;;) {
    const holder = lockHolder(path)
    if (holder === null || (pid !== undefined && holder !== pid)) return holder
    if (performance.now() >= end) return holder
    await delay(lookMs)
  }
}
