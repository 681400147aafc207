/** What can go wrong with a kernel lease beside the rest. */
import { rulesBackUs } from './latency.ts'
import { type Fault, nothing } from './world.ts'

export const leaseFaults: readonly Fault[] = [
  {
    name: 'rules flushed',
    lasts: 'instant',
    begin: ({ hosts, prng, invariants, later }) => {
      const host = prng.pick(hosts)
      host.flushRules()
      later(rulesBackUs.most, () => invariants.disturb(0, 'rules are back', host))
      return nothing
    },
  },
]
