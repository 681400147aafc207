/** What takes over before a kernel lease ends, by the configuration of one host alone: two hosts answer for the difference. */

import type { Place } from '../place.ts'
import type { BfdInstance, Config, Instance } from '../types.ts'

type Say = (place: Place, code: string, message: string) => void

/** Of a peer whose file is not known. */
const usualAdverts = 3

export function lintLease(config: Config, warn: Say, note: Say): void {
  if (config.globals.kernelLease === 'off') return
  const sessions = new Map(config.bfd.map((session) => [session.name, session]))
  for (const instance of config.instances) {
    if (instance.priority === 255) continue
    adverts(instance, note)
    const groups = config.groups.filter(({ members }) => members.includes(instance.name))
    for (const { name, takeover, place } of [instance, ...groups].flatMap((it) => it.trackChecks)) {
      const session = sessions.get(name)
      if (takeover === true && session !== undefined) quick(instance, session, place, warn)
    }
  }
}

function adverts({ name, downTimerAdverts, advertIntervalUs, place }: Instance, note: Say): void {
  if (downTimerAdverts === usualAdverts) return
  const [more, fewer] =
    downTimerAdverts > usualAdverts
      ? ['here', `a peer that waits for ${usualAdverts}, which is the default,`]
      : [`of a master that counts ${usualAdverts}, which is the default,`, 'this host']
  const lasts = Math.max(downTimerAdverts, usualAdverts) * advertIntervalUs
  const message = `${name}: the kernel lease ${more} lasts ${seconds(lasts)}, and ${fewer} takes over before it ends; both answer meanwhile. down_timer_adverts must be the same on every host, here it is ${downTimerAdverts}`
  note(place, 'lease-adverts', message)
}

/** As far as the other end has the same intervals: both ends agree on the longer one. */
function quick(
  { name, downTimerAdverts, advertIntervalUs }: Instance,
  session: BfdInstance,
  place: Place,
  warn: Say,
): void {
  const detectionUs = session.multiplier * Math.max(session.minTxUs, session.minRxUs)
  const leaseUs = downTimerAdverts * advertIntervalUs
  if (detectionUs >= leaseUs) return
  const message = `${name}: ${session.name} is lost after ${seconds(detectionUs)}, and the kernel lease of a master ends ${seconds(leaseUs)} after an advert: with takeover both hosts answer meanwhile. A multiplier of ${Math.ceil((leaseUs / detectionUs) * session.multiplier)} is slow enough`
  warn(place, 'lease-bfd', message)
}

const seconds = (us: number): string => `${Number((us / 1_000_000).toFixed(3))} s`
