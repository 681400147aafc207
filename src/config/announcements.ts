/** The announcements of a master to its neighbours. */
import type { Us } from '../base/time.ts'

/**
 * Gratuitous ARP and unsolicited NA. Spans in µs; 0 delay: no second burst; 0 refresh: none. One keyword each; declared
 * in keywords/announcements.ts.
 */
export type Garp = {
  readonly masterDelayUs: Us
  readonly masterRepeat: number
  readonly masterRefreshUs: Us
  readonly masterRefreshRepeat: number
  readonly lowerPrioDelayUs: Us
  readonly lowerPrioRepeat: number
  /** Least time between two announcements on an interface that is in no garp_group; 0: none. */
  readonly arpIntervalUs: Us
  readonly naIntervalUs: Us
  /** Period on interfaces other than the instance's; 0: none. */
  readonly extraEveryUs: Us
  /** On every such interface, not only on those with a virtual MAC. */
  readonly extraAll: boolean
}

/** `garp_group`: interfaces that share a pace of announcements. 0: no gap, whatever `global_defs` says. */
export type GarpGroup = {
  readonly arpIntervalUs: Us
  readonly naIntervalUs: Us
  readonly interfaces: readonly string[]
}
