/** Of the kernel lease. */
import type { Mutant } from './mutant.ts'

export const leaseMutants: readonly Mutant[] = [
  {
    name: 'lease: a take-over opens nothing',
    file: 'src/engine/plans.ts',
    find: '? [...leaseOpens(facts), ...advert, ...adds, ...entries, ...announced]',
    replace: '? [...advert, ...adds, ...entries, ...announced]',
  },
  {
    name: 'lease: what has been given back stays muted',
    file: 'src/engine/plans.ts',
    find: '    ...leaseEnds(facts),\n',
    replace: '\n',
  },
  {
    name: 'lease: in force under a lead, and not opened',
    file: 'src/router/dispatch/slot-orders.ts',
    find: 'if (before.lease === null)',
    replace: 'if (before.lease === undefined)',
  },
  {
    name: 'lease: longer than a peer waits',
    file: 'src/router/binding/kernel-lease.ts',
    find: 'us(Math.floor((cfg.downTimerAdverts * cfg.advertIntervalUs) / tickUs) * tickUs)',
    replace: 'us(Math.ceil(1 + (cfg.downTimerAdverts * cfg.advertIntervalUs) / tickUs) * tickUs)',
  },
  {
    name: 'lease: the engine counts on twice as long',
    file: 'src/router/binding/kernel-lease.ts',
    find: 'us(leaseUs - tickUs)',
    replace: 'us(2 * leaseUs)',
  },
  {
    name: 'lease: one that has come into force is not told',
    file: 'src/router/dispatch/leases.ts',
    find: 'this.#each(names, (it) => it.refresh())',
    replace: 'this.#each(names, () => undefined)',
  },
  {
    name: 'lease: a table that stands no more counts on',
    file: 'src/engine/plans.ts',
    find: 'const leased = lease === null ? {} : { leaseUs: lease.leastUs }',
    replace: 'const leased = { leaseUs: us(1 + (lease?.leastUs ?? 0)) }',
  },
]
