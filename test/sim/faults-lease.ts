/** What can go wrong with a kernel lease beside the rest. */
import { type Fault, nothing } from './world.ts'

export const leaseFaults: readonly Fault[] = [
  {
    name: 'rules flushed',
    lasts: 'instant',
    begin: ({ hosts, prng }) => {
      prng.pick(hosts).flushRules()
      return nothing
    },
  },
]
