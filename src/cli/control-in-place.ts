/**
 * The control socket after an upgrade. The process before may answer there still (it is about to end, or was killed a
 * moment ago), or the directory may be full: this process has the slots already, so it goes on without, and tries again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Control, type ControlOptions, startControl } from '../control/server.ts'

/** Twice as long each time; the first ones are not worth a line of the log. */
const againMs = { first: 20, longest: 1_000 }

/** Resolves when it listens. */
export async function controlInPlace(options: ControlOptions, log: Log): Promise<Control> {
  let told = false
  for (let afterMs = againMs.first; ; afterMs = Math.min(2 * afterMs, againMs.longest)) {
    try {
      const control = await startControl(options)
      if (told) log.info('The control socket is open')
      return control
    } catch (error) {
      if (!told && afterMs === againMs.longest) {
        told = true
        log.error(`No control socket: ${textOf(error)}; tried again`)
      }
    }
    await delay(afterMs)
  }
}
