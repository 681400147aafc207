/** `vrrp_instance`: timing, announcements and behaviour; each but kernel_rx_buf_size has a global default. */

import type { InstanceDraft } from '../draft/draft.ts'
import type { InstanceEntry } from '../grammar/entries.ts'
import {
  choice,
  flag,
  inBlock,
  integer,
  longest,
  number,
  onOff,
  reaction,
  seconds,
  unsigned,
} from '../grammar/make.ts'

const repeat = integer('COUNT', 1, unsigned, { zeroIs: 1 })
const garpSeconds = integer('SECONDS', 0, longest)

export const behaviourKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'garp_master_delay',
    args: [garpSeconds],
    unit: 's',
    default: 'vrrp_garp_master_delay',
    doc: 'When the addresses are announced a second time after becoming master; 0: not.',
    set: (draft, values) => {
      draft.garp.masterDelayUs = seconds(values)
    },
  },
  {
    name: 'garp_master_repeat',
    args: [repeat],
    default: 'vrrp_garp_master_repeat',
    doc: 'Announcements of each address in one burst.',
    set: (draft, values) => {
      draft.garp.masterRepeat = number(values)
    },
  },
  {
    name: 'garp_master_refresh',
    args: [integer('SECONDS', 0, unsigned)],
    unit: 's',
    default: 'vrrp_garp_master_refresh',
    doc: 'A master announces its addresses again this often; 0: never.',
    set: (draft, values) => {
      draft.garp.masterRefreshUs = seconds(values)
    },
  },
  {
    name: 'garp_master_refresh_repeat',
    args: [repeat],
    default: 'vrrp_garp_master_refresh_repeat',
    doc: 'Announcements of each address in one refresh.',
    set: (draft, values) => {
      draft.garp.masterRefreshRepeat = number(values)
    },
  },
  {
    name: 'garp_lower_prio_delay',
    args: [garpSeconds],
    unit: 's',
    default: 'vrrp_garp_lower_prio_delay',
    doc: 'When the addresses are announced a second time after a router with lower priority was heard.',
    set: (draft, values, node) => {
      draft.garp.lowerPrioDelayUs = seconds(values)
      draft.garpPlace = node.place
    },
  },
  {
    name: 'garp_lower_prio_repeat',
    args: [integer('COUNT', 0, 2_147_483_647)],
    default: 'vrrp_garp_lower_prio_repeat',
    doc: 'Announcements of each address at once when a router with lower priority is heard; 0: none.',
    set: (draft, values, node) => {
      draft.garp.lowerPrioRepeat = number(values)
      draft.garpPlace = node.place
    },
  },
  {
    name: 'down_timer_adverts',
    args: [integer('COUNT', 1, 100)],
    default: 'vrrp_down_timer_adverts',
    since: '2.2.4',
    doc: 'Missed adverts after which the master is taken for dead.',
    set: (draft, values, node) => {
      draft.downTimerAdverts = number(values)
      draft.downPlace = node.place
    },
  },
  {
    name: 'lower_prio_no_advert',
    args: [onOff],
    default: 'vrrp_lower_prio_no_advert',
    doc: 'A master does not answer an advert of lower priority at once.',
    set: (draft, values) => {
      draft.lowerPrioNoAdvert = flag(values)
    },
  },
  {
    name: 'higher_prio_send_advert',
    args: [onOff],
    default: 'vrrp_higher_prio_send_advert',
    doc: 'A master sends one more advert before it yields, so that the winner announces its addresses again.',
    set: (draft, values) => {
      draft.higherPrioSendAdvert = flag(values)
    },
  },
  {
    name: 'resign_on_demotion',
    args: [onOff],
    default: 'vipd_resign_on_demotion',
    doc: 'vipd’s own: a master whose priority sinks below that of a peer that it has heard (a weighted script or interface fails) hands over with priority 0: the peer takes over after its skew time instead of a whole down interval, also with nopreempt. Not in sync groups, whose members move together.',
    set: (draft, values) => {
      draft.resignOnDemotion = flag(values)
    },
  },
  {
    name: 'vipd_address_conflict',
    args: [choice('report', 'report', 'resign')],
    default: 'vipd_address_conflict',
    doc: 'vipd’s own: what becomes of a master one of whose addresses another program removes ten times within ten seconds. Each time the address is put back at once. report: it stays master, `vipd status` is degraded. resign: it hands over with priority 0, its sync group with it, and stands by with priority 1 for 10 s, and ever longer, up to 300 s, when it happens again; then its own priority counts again. If no peer keeps the lead, because there is none or it suffers the same, it leads on and does not resign again for 300 s. An address owner, and a sync group with one, stays.',
    set: (draft, values) => {
      draft.addressConflict = reaction(values)
    },
  },
  {
    name: 'owner_ignore_adverts',
    args: [onOff],
    default: 'vrrp_owner_ignore_adverts',
    since: '2.3.3',
    doc: 'An owner (priority 255) takes no notice of other masters.',
    set: (draft, values) => {
      draft.ownerIgnoreAdverts = flag(values)
    },
  },
  {
    name: 'skip_check_adv_addr',
    args: [onOff],
    default: 'vrrp_skip_check_adv_addr',
    doc: 'The address list of an advert is not compared when it comes from the same master as the one before.',
    set: (draft, values) => {
      draft.skipCheckAdvAddr = flag(values)
    },
  },
  {
    name: 'strict_mode',
    args: [onOff],
    default: 'vrrp_strict',
    doc: 'Hold to the RFC: no unicast, no password, no_accept, and more. See vrrp_strict.',
    set: (draft, values) => {
      draft.strict = flag(values)
    },
  },
  {
    name: 'v3_checksum_as_v2',
    args: [onOff],
    default: 'the global v3_checksum_as_v2',
    since: '2.2.8',
    doc: 'Sends the checksum of version 3 over IPv4 as RFC 9568 has it, of the message alone. Without it the pseudo-header is summed too, as keepalived and RFC 5798 do. Either form is accepted.',
    set: (draft, values) => {
      draft.v3ChecksumAsV2 = flag(values)
    },
  },
  {
    name: 'kernel_rx_buf_size',
    args: [integer('BYTES', 0, unsigned)],
    missing: 'config',
    extra: 'error',
    default: 'the system default',
    unit: 'bytes',
    doc: 'Receive buffer of the socket.',
    set: (draft, values) => {
      draft.receiveBufferBytes = number(values)
    },
  },
])
