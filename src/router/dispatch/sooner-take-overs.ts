/**
 * What takes over from a master before its kernel lease ends, as far as the wire and the configuration tell: its host goes
 * on answering beside the new master for the difference. A sentence each.
 */
import { type Us, us, usToMilliseconds } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { IgnoredSender } from './ignored-senders.ts'

/** A session whose loss takes over (`track_bfd … takeover`). */
export type QuickSession = {
  readonly name: string
  /** After so long without a packet of ours the peer takes this host for dead; null: the session is not up. */
  readonly peerDetectionUs: Us | null
}

type Around = {
  readonly sessions: readonly QuickSession[]
  readonly ignored: readonly IgnoredSender[]
}

export function soonerTakeOvers(
  { downTimerAdverts, advertIntervalUs, version }: Instance,
  { sessions, ignored }: Around,
): readonly string[] {
  const leaseUs = us(downTimerAdverts * advertIntervalUs)
  const lease = `${usToMilliseconds(leaseUs)} ms after an advert`
  return [
    ...sessions.flatMap(({ name, peerDetectionUs }) =>
      peerDetectionUs === null || peerDetectionUs >= leaseUs
        ? []
        : [
            `the peer misses ${name} after ${usToMilliseconds(peerDetectionUs)} ms, and the kernel lease ends ${lease}: where the loss takes over there as it does here, both answer meanwhile`,
          ],
    ),
    ...ignored
      .filter(({ why }) => version === 2 && why === 'interval-mismatch')
      .map(
        ({ from }) =>
          `${from} has another advert_int, so that version 2 lets it follow no advert of ours: it leads before the kernel lease ends, ${lease}`,
      ),
  ]
}
