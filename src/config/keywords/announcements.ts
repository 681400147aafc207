/** Gratuitous ARP and unsolicited neighbour advertisements: of an instance, and in `global_defs` for all of them. */
import { secondsToUs, us } from '../../base/time.ts'
import type { Garp } from '../announcements.ts'
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import type { BlockName, GlobalEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { anyWords, flag, inBlock, longest, onOff, unsigned } from '../grammar/make.ts'
import { globalLines, Options, optionLines } from '../grammar/option.ts'
import { optionValue } from '../grammar/settle.ts'
import { readExtraIf } from './checked-words.ts'

const repeat = kinds.whole('COUNT', 1, unsigned, { zeroIs: 1 })
/** Seconds. */
const day = 86_400
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
    doc: 'Least time between two gratuitous ARP frames on an interface, those of all instances together (docs/announcements.md).',
    global: { name: 'vrrp_garp_interval', defaultText: '0 (no gap; not written)' },
  },
  naIntervalUs: {
    name: null,
    takes: gap,
    default: us(0),
    doc: 'Least time between two unsolicited neighbour advertisements on an interface, those of all instances together.',
    global: { name: 'vrrp_gna_interval', defaultText: '0 (no gap; not written)' },
  },
  // Of one line, garp_extra_if, which fills both.
  extraEveryUs: { name: null, takes: kinds.wholeSeconds(0, day), default: us(0), doc: '' },
  extraAll: { name: null, takes: kinds.bare, default: false, doc: '' },
})

const extraDoc =
  'On interfaces other than the instance’s that hold addresses, the first address of each is announced this often while the instance is master, first so long after garp_master_delay: no advert leaves there, and a switch forgets where the address is. Without `all` only on interfaces with a virtual MAC address. 0: not.'

/** `[all] SECONDS`. */
const extraIf = <D>(
  block: BlockName,
  name: string,
  least: 0 | 1,
  of: (draft: D) => Written<Garp>,
) =>
  inBlock<D>(block, [
    {
      name,
      args: [anyWords(`[all] ${least}..${day}`)],
      since: '2.2.4',
      unit: 's',
      default: block === 'global_defs' ? '0 (never)' : 'vrrp_garp_extra_if',
      doc: extraDoc,
      set: (draft, _values, node, lowering) => {
        const read = readExtraIf(node, least, day, lowering)
        if (read === null) return
        of(draft).set('extraEveryUs', secondsToUs(read.seconds), node.place)
        of(draft).set('extraAll', read.all, node.place)
      },
    },
  ])

export const instanceExtraIf = extraIf(
  'vrrp_instance',
  'garp_extra_if',
  0,
  ({ garp }: InstanceDraft) => garp,
)
const inGlobals = ({ instances }: GlobalDraft) => instances.garp
const older = {
  since: undefined,
  deprecated: 'vrrp_garp_extra_if',
  deprecationCounts: true,
  doc: 'An older spelling.',
} as const

export const garpLines = optionLines(
  'vrrp_instance',
  garpOptions,
  ({ garp }: InstanceDraft) => garp,
)

export const globalGarpLines: readonly GlobalEntry[] = [
  ...globalLines(garpOptions, inGlobals),
  ...extraIf('global_defs', 'vrrp_garp_extra_if', 1, inGlobals),
  ...extraIf('global_defs', 'vrrp_vmac_garp_intvl', 1, inGlobals).map((it) => ({
    ...it,
    ...older,
  })),
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
