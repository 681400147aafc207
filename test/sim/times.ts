/** By when things must have happened, as RFC 9568 and the configuration have it; µs. */
import type { Scenario } from './scenario.ts'

export const skewUs = ({ version, advertUs }: Scenario, priority: number): number =>
  ((256 - priority) * (version === 2 ? 1_000_000 : advertUs)) / 256
export const downUs = (scenario: Scenario, priority: number): number =>
  3 * scenario.advertUs + skewUs(scenario, priority)

/**
 * When a disturbed cluster must have come to rest. A restarted host waits for its check (1 s) and listens for
 * one down interval; a better one that hears it waits for its preempt_delay and for a down interval more; a host that was
 * late listens once more, and the pair of a sync group may do each of these one after the other. Clocks that are
 * 3 % slow stretch all of it. Six down intervals, the longest delay, and seventeen seconds: two for the checks,
 * five after which a new master announces its addresses a second time, and ten in which a damped one takes its time.
 */
export const settleUs = (scenario: Scenario): number =>
  Math.ceil(
    1.04 *
      (6 * downUs(scenario, 1) +
        1_000_000 * (17 + Math.max(...scenario.hosts.map((h) => h.preemptDelayS)))),
  )
