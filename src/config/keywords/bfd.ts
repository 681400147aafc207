/** `bfd_instance`: a session with a neighbour. */
import type { Ip } from '../../base/ip.ts'
import { millisecondsToUs, type Us, usToMilliseconds } from '../../base/time.ts'
import type { BfdDraft } from '../draft/bfd.ts'
import type { BfdEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { address, anyWords, decimal, inBlock, integer, number } from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { BfdOptions } from '../types.ts'
import { setWeight } from './weight.ts'

/** Intervals are 32 bits of microseconds on the wire. */
const longestMs = 4_294_967.295

const milliseconds = (min: number): kinds.Kind<Us> => ({
  args: [decimal('MILLISECONDS', min, longestMs, 3)],
  unit: 'ms',
  value: (values) => millisecondsToUs(number(values)),
  text: (span) => String(usToMilliseconds(span)),
})

const ip: kinds.Kind<Ip> = { args: [{ kind: 'address', name: 'IP' }], value: address, text: String }

const slower =
  'keepalived’s own default is 10 ms five times, which a virtual machine cannot hold; both sides settle on the larger interval.'

export const bfdOptions: Options<BfdOptions> = new Options<BfdOptions>({
  neighbor: {
    name: 'neighbor_ip',
    takes: ip,
    default: null,
    doc: 'The other end. Required.',
  },
  source: { name: 'source_ip', takes: ip, default: null, doc: 'Our address.' },
  minRxUs: {
    name: 'min_rx',
    takes: milliseconds(1),
    default: millisecondsToUs(100),
    doc: 'The least interval at which packets are taken.',
    note: slower,
    inCheck: (span) => `takes every ${usToMilliseconds(span)} ms`,
  },
  minTxUs: {
    name: 'min_tx',
    takes: milliseconds(1),
    default: millisecondsToUs(100),
    doc: 'The least interval at which packets are sent.',
    note: slower,
    inCheck: (span) => `sends every ${usToMilliseconds(span)} ms`,
  },
  idleTxUs: {
    name: 'idle_tx',
    takes: milliseconds(1000),
    default: millisecondsToUs(1000),
    doc: 'The interval while the session is not up.',
    inCheck: (span) => `${usToMilliseconds(span)} ms while not up`,
  },
  multiplier: {
    name: 'multiplier',
    takes: kinds.whole('COUNT', 1, 255),
    default: 3,
    doc: 'So many intervals without a packet from us mean to the other end that we are gone. What we wait for is the other end’s.',
    note: 'keepalived’s default is 5.',
    inCheck: (times) => `gone after ${times}`,
  },
  passive: {
    name: 'passive',
    takes: kinds.bare,
    default: false,
    doc: 'Nothing is sent before the other end has been heard.',
    inCheck: (passive) => passive && 'passive',
  },
  ttl: {
    name: 'ttl',
    takes: kinds.whole('TTL', 1, 255),
    default: null,
    defaultText: '255',
    doc: 'TTL or hop limit of what is sent. What is taken has at least as much less `max_hops`; over IPv6, unless this is written, 64, which is what keepalived sends.',
    note: 'keepalived sends 64 over IPv6, which RFC 5881 forbids and other implementations drop.',
    inCheck: (ttl) => ttl !== null && `TTL ${ttl}`,
  },
  maxHops: {
    name: 'max_hops',
    takes: kinds.whole('COUNT', -1, 255),
    default: null,
    defaultText: '0; -1 with multihop',
    doc: 'So many hops are tolerated; -1: any number.',
    inCheck: (hops) => hops !== null && `at most ${hops} hops`,
  },
  multihop: {
    name: 'multihop',
    takes: kinds.onOff,
    default: false,
    doc: 'UDP port 4784 (RFC 5883) instead of 3784.',
    inCheck: (multihop) => multihop && 'multihop',
  },
})

export const bfdKeywords: readonly BfdEntry[] = [
  ...optionLines('bfd_instance', bfdOptions, ({ options }: BfdDraft) => options),
  ...inBlock<BfdDraft>('bfd_instance', [
    {
      name: 'neighbour_ip',
      args: ip.args,
      doc: 'As `neighbor_ip`.',
      set: ({ options }, values, node) => {
        options.set('neighbor', address(values), node.place)
      },
    },
    {
      name: 'hoplimit',
      args: [integer('TTL', 1, 255)],
      doc: 'As `ttl`.',
      set: ({ options }, values, node) => {
        options.set('ttl', number(values), node.place)
      },
    },
    {
      name: 'weight',
      args: [integer('WEIGHT', -253, 253), anyWords('reverse')],
      default: '0',
      doc: 'What the session does to the priority of those that track it: above 0 it is added while it is up, below 0 it is subtracted while it is not, 0 makes its loss a fault.',
      set: setWeight,
    },
    { name: 'vrrp', doc: 'Accepted: VRRP is told, whatever is written.' },
    { name: 'checker', status: 'ignored', doc: 'Tells the load balancer.' },
  ]),
]
