/**
 * The intervals of the protocol in exact integer microseconds. One formula each for version 2 and 3; a
 * fraction of a microsecond is cut off, so two hosts with equal inputs compute equal deadlines.
 */
import { addUs, type Us, us } from './time.ts'

const versionTwoUnitUs = 1_000_000

/**
 * Skew time: what a lower priority waits longer, so that of several backups the best one speaks first.
 *
 * Version 3 (RFC 9568 section 6.1): ((256 - priority) × Active_Adver_Interval) / 256.
 * Version 2 (RFC 3768 section 6.1): (256 - priority) / 256 *seconds*, whatever the interval: with
 * advert_int 10 the skew is still below one second, a smaller part of the interval than in version 3.
 *
 * @param effectivePriority 1..255; an address owner's is always 255
 * @param masterIntervalUs the interval of the master (version 3 learns it; in version 2 it must equal ours)
 */
export function skewUs(version: 2 | 3, effectivePriority: number, masterIntervalUs: Us): Us {
  const unit = version === 2 ? versionTwoUnitUs : masterIntervalUs
  return us(Math.floor(((256 - effectivePriority) * unit) / 256))
}

export type DownInterval = {
  readonly version: 2 | 3
  /** How many adverts may be missed: 3 in both RFCs, down_timer_adverts here. */
  readonly downTimerAdverts: number
  readonly effectivePriority: number
  readonly intervalUs: Us
}

/** Master_Down_Interval (RFC 3768), Active_Down_Interval (RFC 9568 section 6.1): missed adverts plus skew. */
export function downIntervalUs(p: DownInterval): Us {
  const silence = us(p.downTimerAdverts * p.intervalUs)
  return addUs(silence, skewUs(p.version, p.effectivePriority, p.intervalUs))
}
