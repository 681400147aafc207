/** `global_defs`: what instances use when they do not say otherwise. */
import type { Ip } from '../../base/ip.ts'
import { us } from '../../base/time.ts'
import type { GarpDraft, GlobalDraft } from '../draft/draft.ts'
import type { GlobalEntry } from '../grammar/entries.ts'
import {
  decimal,
  flag,
  inBlock,
  integer,
  longest,
  number,
  onOff,
  onUnlessOff,
  seconds,
  unsigned,
} from '../grammar/make.ts'

const repeat = integer('COUNT', 1, unsigned, { zeroIs: 1 })
const gap = decimal('SECONDS', 0.000001, 4294.967295, 6)

export const protocolKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'vrrp_version',
    args: [integer('VERSION', 2, 3)],
    default: '2',
    doc: 'The protocol of IPv4 instances that do not name one. IPv6 instances use 3.',
    set: (draft, values) => {
      draft.version = number(values) === 3 ? 3 : 2
    },
  },
  {
    name: 'vrrp_mcast_group4',
    args: [{ kind: 'address', name: 'IP', family: 4, multicast: true }],
    default: '224.0.0.18',
    doc: 'The multicast group of IPv4 instances.',
    set: (draft, values) => {
      draft.group4 = values[0] as Ip
    },
  },
  {
    name: 'vrrp_mcast_group6',
    args: [{ kind: 'address', name: 'IP', family: 6, multicast: true }],
    default: 'ff02::12',
    doc: 'The multicast group of IPv6 instances.',
    set: (draft, values) => {
      draft.group6 = values[0] as Ip
    },
  },
  {
    name: 'vrrp_garp_master_delay',
    args: [integer('SECONDS', 0, longest)],
    unit: 's',
    default: '5',
    doc: 'When addresses are announced a second time after becoming master; 0: not.',
    set: (draft, values) => {
      draft.garp.masterDelayUs = seconds(values)
    },
  },
  {
    name: 'vrrp_garp_master_repeat',
    args: [repeat],
    default: '5',
    doc: 'Announcements of each address in one burst.',
    set: (draft, values) => {
      draft.garp.masterRepeat = number(values)
    },
  },
  {
    name: 'vrrp_garp_master_refresh',
    args: [integer('SECONDS', 0, unsigned)],
    unit: 's',
    default: '0 (never)',
    doc: 'A master announces its addresses again this often.',
    set: (draft, values) => {
      draft.garp.masterRefreshUs = seconds(values)
    },
  },
  {
    name: 'vrrp_garp_master_refresh_repeat',
    args: [repeat],
    default: '1',
    doc: 'Announcements of each address in one refresh.',
    set: (draft, values) => {
      draft.garp.masterRefreshRepeat = number(values)
    },
  },
  {
    name: 'vrrp_garp_lower_prio_delay',
    args: [integer('SECONDS', 0, longest)],
    unit: 's',
    default: 'vrrp_garp_master_delay',
    doc: 'When addresses are announced a second time after a router with lower priority was heard.',
    set: (draft, values) => {
      draft.garp.lowerPrioDelayUs = seconds(values)
    },
  },
  {
    name: 'vrrp_garp_lower_prio_repeat',
    args: [integer('COUNT', 0, 2_147_483_647)],
    default: 'vrrp_garp_master_repeat',
    doc: 'Announcements of each address at once when a router with lower priority is heard; 0: none.',
    set: (draft, values) => {
      draft.garp.lowerPrioRepeat = number(values)
    },
  },
  {
    name: 'vrrp_garp_interval',
    args: [gap],
    unit: 's',
    default: '0 (no gap; not written)',
    doc: 'Least time between two gratuitous ARP frames on an interface.',
    set: (draft, values) => {
      draft.arpIntervalUs = seconds(values)
    },
  },
  {
    name: 'vrrp_gna_interval',
    args: [gap],
    unit: 's',
    default: '0 (no gap; not written)',
    doc: 'Least time between two unsolicited neighbour advertisements on an interface.',
    set: (draft, values) => {
      draft.naIntervalUs = seconds(values)
    },
  },
  {
    name: 'vrrp_min_garp',
    args: [onOff],
    default: 'off',
    doc: 'One announcement only: sets vrrp_garp_master_repeat 1, delay 0, refresh 0 and refresh_repeat 1 where they are not written above.',
    set: (draft, values) => {
      if (flag(values)) leastGarp(draft.garp)
    },
  },
  {
    name: 'vrrp_lower_prio_no_advert',
    args: [onOff],
    default: 'off',
    doc: 'A master does not answer an advert of lower priority at once.',
    set: (draft, values) => {
      draft.lowerPrioNoAdvert = flag(values)
    },
  },
  {
    name: 'vrrp_higher_prio_send_advert',
    args: [onOff],
    default: 'on',
    doc: 'A master sends one more advert before it yields, so that the winner announces its addresses again (keepalived: off).',
    set: (draft, values) => {
      draft.higherPrioSendAdvert = flag(values)
    },
  },
  {
    name: 'vrrp_down_timer_adverts',
    args: [integer('COUNT', 1, 100)],
    default: '3',
    since: '2.2.4',
    doc: 'Missed adverts after which a master is taken for dead.',
    set: (draft, values) => {
      draft.downTimerAdverts = number(values)
    },
  },
  {
    name: 'vrrp_check_unicast_src',
    default: 'off',
    doc: 'Unicast adverts that do not come from a configured peer are dropped.',
    set: (draft) => {
      draft.checkUnicastSource = true
    },
  },
  {
    name: 'vrrp_skip_check_adv_addr',
    args: [onUnlessOff],
    default: 'off',
    doc: 'The address list of an advert is not compared when it comes from the same master as the one before.',
    set: (draft, values) => {
      draft.skipCheckAdvAddr = flag(values)
    },
  },
  {
    name: 'vrrp_strict',
    args: [onUnlessOff],
    default: 'off',
    doc: 'Hold to the RFC: no password, no unicast on a link that has multicast, at least one address, `state MASTER` only with priority 255, no preempt_delay, down_timer_adverts 3, and packets to the addresses are not answered unless the priority is 255.',
    set: (draft, values, node) => {
      draft.strict = flag(values)
      draft.strictPlace = node.place
    },
  },
  {
    name: 'vrrp_owner_ignore_adverts',
    args: [onOff],
    default: 'off (on in strict mode)',
    since: '2.3.3',
    doc: 'An owner (priority 255) takes no notice of other masters.',
    set: (draft, values) => {
      draft.ownerIgnoreAdverts = flag(values)
    },
  },
  {
    name: 'v3_checksum_as_v2',
    args: [onOff],
    default: 'off',
    since: '2.2.8',
    doc: 'Sends the checksum of version 3 over IPv4 as RFC 9568 has it, of the message alone. Without it the pseudo-header is summed too, as keepalived and RFC 5798 do. Either form is accepted.',
    set: (draft, values) => {
      draft.v3ChecksumAsV2 = flag(values)
    },
  },
  {
    name: 'vrrp_startup_delay',
    args: [decimal('SECONDS', 0.001, 4294.967295, 6)],
    unit: 's',
    default: '0',
    since: '2.0.16',
    doc: 'After the start of the daemon no instance takes part for so long.',
    set: (draft, values) => {
      draft.startupDelayUs = seconds(values)
    },
  },
  {
    name: 'log_unknown_vrids',
    default: 'off',
    doc: 'Adverts for a VRID that is not configured are logged.',
    set: (draft) => {
      draft.logUnknownVrids = true
    },
  },
  {
    name: 'vrrp_notify_priority_changes',
    args: [onOff],
    default: 'off',
    doc: 'FIFO lines when an effective priority changes.',
    set: (draft, values) => {
      draft.priorityChanges = flag(values)
    },
  },
])

/** Takes effect where it stands: what is written above stays. */
function leastGarp(garp: GarpDraft) {
  garp.masterRepeat ??= 1
  garp.masterDelayUs ??= us(0)
  garp.masterRefreshUs ??= us(0)
  garp.masterRefreshRepeat ??= 1
}
