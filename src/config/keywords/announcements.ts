/** Gratuitous ARP and unsolicited neighbour advertisements: of an instance, and in `global_defs` for all of them. */
import { secondsToUs, us } from '../../base/time.ts'
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { flag, inBlock, longest, onOff, unsigned } from '../grammar/make.ts'
import { globalLines, Options, optionLines } from '../grammar/option.ts'
import { optionValue } from '../grammar/settle.ts'
import type { Garp } from '../types.ts'

const repeat = kinds.whole('COUNT', 1, unsigned, { zeroIs: 1 })
const gap = kinds.seconds(0.000001, 4294.967295, 6)

const inGlobal = <F extends keyof Garp>(field: F, lowering: Lowering): Garp[F] =>
  optionValue(garpOptions, field, lowering.globals.instances.garp, null, lowering)

export const garpOptions: Options<Garp> = new Options<Garp>({
  masterDelayUs: {
    name: 'garp_master_delay',
    takes: kinds.wholeSeconds(0, longest),
    default: secondsToUs(5),
    doc: 'When the addresses are announced a second time after becoming master; 0: not.',
    global: {
      name: 'vrrp_garp_master_delay',
      doc: 'When addresses are announced a second time after becoming master; 0: not.',
    },
  },
  masterRepeat: {
    name: 'garp_master_repeat',
    takes: repeat,
    default: 5,
    doc: 'Announcements of each address in one burst.',
    global: { name: 'vrrp_garp_master_repeat' },
  },
  masterRefreshUs: {
    name: 'garp_master_refresh',
    takes: kinds.wholeSeconds(0, unsigned),
    default: us(0),
    doc: 'A master announces its addresses again this often; 0: never.',
    global: {
      name: 'vrrp_garp_master_refresh',
      defaultText: '0 (never)',
      doc: 'A master announces its addresses again this often.',
    },
  },
  masterRefreshRepeat: {
    name: 'garp_master_refresh_repeat',
    takes: repeat,
    default: 1,
    doc: 'Announcements of each address in one refresh.',
    global: { name: 'vrrp_garp_master_refresh_repeat' },
  },
  // The default of the next two is that of the whole file: the instance's own garp_master_* has no part in it.
  lowerPrioDelayUs: {
    name: 'garp_lower_prio_delay',
    takes: kinds.wholeSeconds(0, longest),
    defaultFrom: (lowering) => inGlobal('masterDelayUs', lowering),
    strict: { value: us(0), reported: true },
    doc: 'When the addresses are announced a second time after a router with lower priority was heard.',
    global: {
      name: 'vrrp_garp_lower_prio_delay',
      defaultText: 'vrrp_garp_master_delay',
      doc: 'When addresses are announced a second time after a router with lower priority was heard.',
    },
  },
  lowerPrioRepeat: {
    name: 'garp_lower_prio_repeat',
    takes: kinds.whole('COUNT', 0, 2_147_483_647),
    defaultFrom: (lowering) => inGlobal('masterRepeat', lowering),
    strict: { value: 0, reported: true },
    doc: 'Announcements of each address at once when a router with lower priority is heard; 0: none.',
    global: { name: 'vrrp_garp_lower_prio_repeat', defaultText: 'vrrp_garp_master_repeat' },
  },
  arpIntervalUs: {
    name: null,
    takes: gap,
    default: us(0),
    doc: 'Least time between two gratuitous ARP frames on an interface.',
    global: { name: 'vrrp_garp_interval', defaultText: '0 (no gap; not written)' },
  },
  naIntervalUs: {
    name: null,
    takes: gap,
    default: us(0),
    doc: 'Least time between two unsolicited neighbour advertisements on an interface.',
    global: { name: 'vrrp_gna_interval', defaultText: '0 (no gap; not written)' },
  },
})

export const garpLines = optionLines(
  'vrrp_instance',
  garpOptions,
  ({ garp }: InstanceDraft) => garp,
)

export const globalGarpLines: readonly GlobalEntry[] = [
  ...globalLines(garpOptions, ({ instances }: GlobalDraft) => instances.garp),
  ...inBlock<GlobalDraft>('global_defs', [
    {
      name: 'vrrp_min_garp',
      args: [onOff],
      default: 'off',
      doc: 'One announcement only: sets vrrp_garp_master_repeat 1, delay 0, refresh 0 and refresh_repeat 1 where they are not written above.',
      set: ({ instances }, values) => {
        if (flag(values)) announceOnce(instances.garp)
      },
    },
  ]),
]

/** Takes effect where it stands: what is written above stays. */
function announceOnce(garp: GlobalDraft['instances']['garp']) {
  const unlessWritten = <F extends keyof Garp>(field: F, value: Garp[F]) => {
    if (garp.get(field) === undefined) garp.set(field, value, null)
  }
  unlessWritten('masterRepeat', 1)
  unlessWritten('masterDelayUs', us(0))
  unlessWritten('masterRefreshUs', us(0))
  unlessWritten('masterRefreshRepeat', 1)
}
