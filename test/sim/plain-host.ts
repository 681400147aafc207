/** A host with nothing special about it; its network is 10.0.0.0/24, or fe80::/64. */
import type { Ip } from '../../src/base/ip.ts'
import { plainFile } from './host-file.ts'
import type { HostPlan } from './scenario.ts'

const second = 1_000_000

export const plainHost = (
  number: number,
  {
    family = 4,
    ...more
  }: Pick<HostPlan, 'priority'> & Partial<HostPlan> & { readonly family?: 4 | 6 },
): HostPlan => ({
  number,
  source: (family === 4 ? `10.0.0.${number}` : `fe80::${number}`) as Ip,
  clockRate: 1,
  clockOffset: number * 1_000 * second,
  nopreempt: false,
  preemptDelayS: 0,
  weight: 0,
  warden: true,
  file: plainFile(3 * second),
  drained: false,
  ...more,
})
