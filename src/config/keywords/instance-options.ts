/** `vrrp_instance`: identity, timing and behaviour; most have a default for all instances in `global_defs`. */
import { secondsToUs, us } from '../../base/time.ts'
import type { GlobalDraft, InstanceDraft } from '../draft/draft.ts'

import * as kinds from '../grammar/kinds.ts'
import { unsigned } from '../grammar/make.ts'
import { globalLines, Options, optionLines } from '../grammar/option.ts'
import type { Instance, InstanceOptions } from '../types.ts'

const reaction = kinds.oneOf('report', 'report', 'resign')

export const instanceOptions: Options<InstanceOptions, Instance> = new Options<
  InstanceOptions,
  Instance
>({
  vrid: {
    name: 'virtual_router_id',
    takes: kinds.whole('VRID', 1, 255),
    default: 0,
    defaultText: null,
    doc: 'The number that the routers of one group share. Required; one instance per VRID, family, interface and group of peers.',
  },
  priority: {
    name: 'priority',
    takes: kinds.whole('PRIORITY', 1, 255),
    default: 100,
    bad: 100,
    note: 'With `state MASTER` and no priority the default is 255.',
    doc: 'Who becomes master: the highest. 255 is the owner of the addresses, which never yields and takes no weights.',
  },
  advertIntervalUs: {
    name: 'advert_int',
    takes: kinds.seconds(0.01, 255, 6),
    default: secondsToUs(1),
    doc: 'Time between two adverts. Version 2 has whole seconds only, version 3 steps of 10 ms up to 40.95 s; others are rounded.',
  },
  downTimerAdverts: {
    name: 'down_timer_adverts',
    takes: kinds.whole('COUNT', 1, 100),
    default: 3,
    strict: { value: 3, reported: true },
    since: '2.2.4',
    doc: 'Missed adverts after which the master is taken for dead.',
    global: {
      name: 'vrrp_down_timer_adverts',
      doc: 'Missed adverts after which a master is taken for dead.',
    },
  },
  preempt: {
    name: 'nopreempt',
    takes: kinds.bareOff,
    default: true,
    defaultText: null,
    doc: 'As backup, leave a master with lower priority in place. Needs `state BACKUP`.',
    opposite: {
      name: 'preempt',
      takes: kinds.bare,
      doc: 'Take over from a master with lower priority; the default, written to undo nopreempt.',
    },
  },
  preemptDelayUs: {
    name: 'preempt_delay',
    takes: kinds.seconds(0, 1000, 6),
    default: us(0),
    doc: 'How long a master with lower priority is tolerated before it is taken over from. Needs `state BACKUP`.',
  },
  accept: {
    name: 'accept',
    takes: kinds.bare,
    default: true,
    defaultText: 'on; off under strict mode',
    doc: 'Packets to the virtual addresses are answered.',
    opposite: {
      name: 'no_accept',
      takes: kinds.bareOff,
      doc: 'Packets to the virtual addresses are not answered unless the priority is 255.',
    },
    inCheck: (on) => !on && 'no_accept',
  },
  strict: {
    name: 'strict_mode',
    takes: kinds.onOff,
    default: false,
    doc: 'Hold to the RFC; see vrrp_strict.',
    global: {
      name: 'vrrp_strict',
      takes: kinds.onUnlessOff,
      doc: 'Hold to the RFC. Needs at least one address. Each of these is corrected with an error: version 2 with IPv6, a password, `state` other than MASTER exactly where the priority is 255, preempt_delay, down_timer_adverts other than 3, accept with version 2, garp_lower_prio_delay, garp_lower_prio_repeat, lower_prio_no_advert off, higher_prio_send_advert. Packets to the addresses are not answered (no_accept) unless the priority is 255 or, in version 3, accept is written; an owner takes no notice of other masters. Reported only: a first IPv6 address that is not link-local; unicast, which runs as in keepalived 2.2.7.',
    },
    inCheck: (on) => on && 'strict mode',
  },
  lowerPrioNoAdvert: {
    name: 'lower_prio_no_advert',
    takes: kinds.onOff,
    default: false,
    strict: { value: true, reported: true },
    doc: 'A master does not answer an advert of lower priority at once.',
    global: { name: 'vrrp_lower_prio_no_advert' },
    inCheck: (on) => on && 'lower_prio_no_advert',
  },
  // When a split heals, the master that yields may be the only one that heard the other, and the one that stays must
  // know of it to announce its addresses again.
  higherPrioSendAdvert: {
    name: 'higher_prio_send_advert',
    takes: kinds.onOff,
    default: true,
    strict: { value: false, reported: true },
    doc: 'A master sends one more advert before it yields, so that the winner announces its addresses again.',
    global: {
      name: 'vrrp_higher_prio_send_advert',
      doc: 'A master sends one more advert before it yields, so that the winner announces its addresses again (keepalived: off).',
    },
    inCheck: (on, { strict }) => !on && !strict && 'higher_prio_send_advert off',
  },
  resignOnDemotion: {
    name: 'resign_on_demotion',
    takes: kinds.onOff,
    default: true,
    doc: 'vipd’s own: a master whose priority sinks below that of a peer that it has heard (a weighted script or interface fails) hands over with priority 0: the peer takes over after its skew time instead of a whole down interval, also with nopreempt. Not in sync groups, whose members move together.',
    global: {
      name: 'vipd_resign_on_demotion',
      doc: 'vipd’s own: the default of resign_on_demotion.',
    },
    inCheck: (on) => !on && 'resign_on_demotion off',
  },
  muteMaster: {
    name: null,
    takes: reaction,
    default: 'report',
    doc: 'vipd’s own: what becomes of a master none of whose adverts has left the host for a down interval (a firewall rule refuses them, say). report: it stays master, `vipd status` is degraded and the log says so. resign: FAULT, so that a peer can serve, and after 10 s, then ever later, up to 300 s, another try. With the same rule on both hosts resign leaves the pair without a master for as long as both wait.',
    global: { name: 'vipd_mute_master' },
    inCheck: (how) => how === 'resign' && 'resigns when mute',
  },
  addressConflict: {
    name: 'vipd_address_conflict',
    takes: reaction,
    default: 'report',
    doc: 'vipd’s own: what becomes of a master one of whose addresses another program removes ten times within ten seconds. Each time the address is put back at once. report: it stays master, `vipd status` is degraded. resign: it hands over with priority 0, its sync group with it, and stands by with priority 1 for 10 s, and ever longer, up to 300 s, when it happens again; then its own priority counts again. If no peer keeps the lead, because there is none or it suffers the same, it leads on and does not resign again for 300 s. An address owner, and a sync group with one, stays.',
    global: {
      name: 'vipd_address_conflict',
      doc: 'vipd’s own: the default of the instances’ vipd_address_conflict.',
    },
    inCheck: (how, { priority }) =>
      how === 'resign' && priority < 255 && 'resigns when an address is contested',
  },
  addressClaim: {
    name: 'vipd_address_claim',
    takes: kinds.oneOf('announce', 'off', 'report', 'announce', 'defend'),
    default: 'announce',
    doc: 'vipd’s own: what a master does when ARP or neighbour discovery shows that another machine claims one of its addresses. report: the log, `vipd status`, an event and a metric name its MAC address and the interface. announce: the address is announced once more, too, so that clients come back; once for each machine. defend: again while it goes on, at most once in 10 s, then ever more rarely, down to once in 300 s. off: nothing is watched. What a peer sends that takes over is no claim: docs/address-claims.md.',
    global: {
      name: 'vipd_address_claim',
      doc: 'vipd’s own: the default of the instances’ vipd_address_claim.',
    },
    inCheck: (how) => how !== 'announce' && `claims of other machines: ${how}`,
  },
  claimCheck: {
    name: 'vipd_claim_check',
    takes: kinds.oneOf('off', 'off', 'start', 'always'),
    default: 'off',
    doc: 'vipd’s own: asks by ARP and neighbour discovery, before a take-over, whether another machine has one of the addresses. start: before the first take-over after the start, always: before each. It is asked while the down interval or the skew time runs, so a take-over without an answer is not later. Not before a take-over from a lower master that is heard, which has the addresses, and not by an owner, which waits for nothing. What an answer means: vipd_claim_policy. docs/address-claims.md.',
    global: {
      name: 'vipd_claim_check',
      doc: 'vipd’s own: the default of the instances’ vipd_claim_check.',
    },
    inCheck: (when) => when !== 'off' && `asks before claiming: ${when}`,
  },
  claimCheckUs: {
    name: null,
    takes: kinds.seconds(0.001, 1, 3),
    default: us(20_000),
    doc: 'vipd’s own: how long before a take-over vipd_claim_check asks, and so how long an answer is waited for.',
    global: { name: 'vipd_claim_check_time' },
  },
  claimPolicy: {
    name: 'vipd_claim_policy',
    takes: kinds.oneOf('warn', 'warn', 'wait', 'refuse'),
    default: 'warn',
    doc: 'vipd’s own: what an answer to vipd_claim_check means. warn: it is reported, and the take-over goes on. wait: the take-over waits until there is no answer any more, at most one more down interval. refuse: FAULT, and another try after 10 s, then ever later, up to 300 s. A main thread that stands still asks and hears no answer: the take-over goes on.',
    global: {
      name: 'vipd_claim_policy',
      doc: 'vipd’s own: the default of the instances’ vipd_claim_policy.',
    },
    inCheck: (how, { claimCheck }) => claimCheck !== 'off' && how !== 'warn' && `an answer: ${how}`,
  },
  maxIntervalRatio: {
    name: null,
    takes: kinds.whole('TIMES', 0, 4095),
    default: 10,
    doc: 'vipd’s own: an advert of version 3 whose interval is longer than so many times our advert_int is reported, and counts as so many times ours for the down interval: a single advert that states 40.95 s would keep the pair without a master for two minutes. 0: what is stated counts, as in keepalived and RFC 9568.',
    global: { name: 'vipd_max_interval_ratio' },
    inCheck: (times) => times === 0 && 'any stated interval counts',
  },
  ownerIgnoreAdverts: {
    name: 'owner_ignore_adverts',
    takes: kinds.onOff,
    default: false,
    strict: { value: true },
    since: '2.3.3',
    doc: 'An owner (priority 255) takes no notice of other masters.',
    global: { name: 'vrrp_owner_ignore_adverts' },
    inCheck: (on) => on && 'owner_ignore_adverts',
  },
  skipCheckAdvAddr: {
    name: 'skip_check_adv_addr',
    takes: kinds.onOff,
    default: false,
    doc: 'The address list of an advert is not compared when it comes from the same master as the one before.',
    global: { name: 'vrrp_skip_check_adv_addr', takes: kinds.onUnlessOff },
    inCheck: (on) => on && 'skip_check_adv_addr',
  },
  v3ChecksumAsV2: {
    name: 'v3_checksum_as_v2',
    takes: kinds.onOff,
    default: false,
    since: '2.2.8',
    doc: 'Sends the checksum of version 3 over IPv4 as RFC 9568 has it, of the message alone. Without it the pseudo-header is summed too, as keepalived and RFC 5798 do. Either form is accepted.',
    global: { name: 'v3_checksum_as_v2' },
    inCheck: (on) => on && 'v3_checksum_as_v2',
  },
  trackPrimary: {
    name: 'dont_track_primary',
    takes: kinds.bareOff,
    default: true,
    doc: 'The instance goes on although its own interface is down.',
    inCheck: (on) => !on && 'dont_track_primary',
  },
  promoteSecondaries: {
    name: 'promote_secondaries',
    takes: kinds.bare,
    default: false,
    doc: 'net.ipv4.conf.IFACE.promote_secondaries of the interface is 1 as long as vipd runs: the kernel keeps the other addresses of a network when its first is deleted. Without it vipd sets again what goes along (ownership.md). What it was is restored (sysctls.md).',
    inCheck: (on) => on && 'promote_secondaries',
  },
  receiveBufferBytes: {
    name: 'kernel_rx_buf_size',
    takes: kinds.quantity('BYTES', 'bytes', 0, unsigned),
    default: null,
    defaultText: 'the system default',
    missing: 'config',
    extra: 'error',
    doc: 'Receive buffer of the socket.',
  },
})

export const instanceOptionLines = optionLines(
  'vrrp_instance',
  instanceOptions,
  ({ options }: InstanceDraft) => options,
)
export const globalInstanceLines = globalLines(
  instanceOptions,
  ({ instances }: GlobalDraft) => instances.options,
)
