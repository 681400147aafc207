/** `vrrp_instance`: what unicast adds to the transport of adverts. */
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'
import * as kinds from '../grammar/kinds.ts'
import { globalLines, Options, optionLines } from '../grammar/option.ts'
import type { UnicastOptions } from '../types.ts'

export const unicastOptions: Options<UnicastOptions> = new Options<UnicastOptions>({
  checkSource: {
    name: 'check_unicast_src',
    takes: kinds.bare,
    default: false,
    doc: 'Adverts that do not come from a configured peer are dropped.',
    global: {
      name: 'vrrp_check_unicast_src',
      doc: 'Unicast adverts that do not come from a configured peer are dropped.',
    },
  },
  faultNoPeer: {
    name: 'unicast_fault_no_peer',
    takes: kinds.bare,
    default: false,
    since: '2.2.7',
    doc: 'An empty peer list is a fault, not a fall back to multicast.',
  },
})

export const unicastLines = optionLines(
  'vrrp_instance',
  unicastOptions,
  ({ unicast }: InstanceDraft) => unicast,
)

export const globalUnicastLines = globalLines(
  unicastOptions,
  ({ instances }: GlobalDraft) => instances.unicast,
)
