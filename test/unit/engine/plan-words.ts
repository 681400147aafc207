/** Facts of one instance, and plans in words: decoded with our own decoders. */
import assert from 'node:assert/strict'
import { secondsToUs, us } from '../../../src/base/time.ts'
import type { Machine, Params, State } from '../../../src/election/types.ts'
import type { Lead, Order, Plan, Repeat, Step } from '../../../src/engine/order.ts'
import type { AddressFacts, SlotFacts } from '../../../src/engine/plans-addresses.ts'
import { decodeArp } from '../../../src/wire/arp.ts'
import { decodeNote } from '../../../src/wire/lease-note.ts'
import { decodeNa } from '../../../src/wire/ndp.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import { decodeAdvert } from '../../../src/wire/vrrp.ts'
import { fromHex } from '../../hex.ts'
import { ip, params as paramsOf } from '../election/host.ts'

export const mac = fromHex('42:c9:b0:ad:e1:62')

export const second = secondsToUs(1)

export const address = (text: string, more: Partial<AddressFacts> = {}): AddressFacts => ({
  address: ip(text),
  prefixLength: 24,
  ifindex: 3,
  announceOn: more.ifindex ?? 3,
  mac,
  askMac: mac,
  broadcast: null,
  label: null,
  scope: 0,
  peer: null,
  home: false,
  nodad: true,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  preferredSeconds: null,
  router: text.includes(':'),
  advertised: true,
  interface: 'eth0',
  foreign: false,
  ...more,
})

export const facts: SlotFacts = {
  vrid: 51,
  version: 3,
  family: 4,
  source: ip('10.0.0.1'),
  link: 7,
  destinations: [ip('224.0.0.18')],
  password: null,
  ah: false,
  advertIntervalUs: second,
  checksumAsV2: false,
  advertMac: null,
  sealOctets: 0,
  carriers: [],
  addresses: [
    address('10.0.0.100', { label: 'eth0:1' }),
    address('10.0.0.101', { mac: null }),
    address('fd00::1', { advertised: false, ifindex: 4, prefixLength: 64 }),
  ],
  takenAlong: [],
  extra: { everyUs: us(0), on: [] },
  entries: [],
  garp: {
    masterDelayUs: secondsToUs(5),
    masterRepeat: 3,
    masterRefreshUs: us(0),
    masterRefreshRepeat: 1,
    lowerPrioDelayUs: secondsToUs(5),
    lowerPrioRepeat: 2,
  },
  paces: [],
  router: true,
  peersDownUs: us(3_003_906),
  lifetimeSeconds: null,
  lease: null,
  asks: null,
}

export const params: Params = paramsOf({ source: facts.source })

export const machine = (state: State): Machine => ({ state, effective: 100 })

export const master = machine({ kind: 'master', since: us(0), rival: null })

/** A step in one short line: what a decoder makes of its bytes. */
export function read(step: Step, of: SlotFacts = facts): string {
  if (step.kind === 'netlink') return readRequest(step)
  if (step.kind === 'frame') return readFrame(step)
  const note = decodeNote(step.head ?? new Uint8Array(), step.bytes)
  if (note !== null) return `note ${note.note} ${step.link} ${note.id.join('')}`
  const { version, family, vrid, password, checksumAsV2, advertIntervalUs: intervalUs } = of
  const mode = 'multicast'
  const expectation = { version, family, vrid, password, intervalUs, checksumAsV2, peers: null }
  const packet = { payload: step.bytes, source: of.source, destination: step.to, ttl: 255 } as const
  const decoded = decodeAdvert(packet, { ...expectation, mode, mayBeEmpty: true })
  assert(decoded.ok, JSON.stringify(decoded))
  assert.equal(decoded.value.intervalUs, of.advertIntervalUs)
  const { priority, addresses } = decoded.value
  return `advert ${step.link} ${step.to} ${priority} [${addresses.join(' ')}]`
}

export function readRequest(step: Step & { kind: 'netlink' }): string {
  const [message] = decodeMessages(step.bytes)
  assert(message?.kind === 'newaddr' || message?.kind === 'deladdr')
  const { address: what, prefixLength, ifindex, validSeconds } = message.address
  const verb = message.kind === 'newaddr' ? 'add' : 'delete'
  const life = validSeconds === null ? '' : ` for ${validSeconds}`
  return `${verb} ${what}/${prefixLength} on ${ifindex}${life} ~${step.tolerate.join(',')}`
}

export function readFrame(step: Step & { kind: 'frame' }): string {
  const note = decodeNote(step.bytes.subarray(0, 14), step.bytes.subarray(14))
  if (note !== null) return `note ${note.note} on ${step.ifindex}`
  const arp = decodeArp(step.bytes)
  if (arp.ok) return `arp ${arp.value.target} on ${step.ifindex}`
  const na = decodeNa(step.bytes)
  assert(na.ok, 'neither ARP nor NA')
  assert(na.value.router && na.value.override)
  return `na ${na.value.target} on ${step.ifindex}`
}

export const readAll = (plan: Plan, of: SlotFacts = facts): readonly string[] =>
  plan.map((step) => read(step, of))

export function leadOf(order: Order): Lead {
  assert(order.kind === 'lead')
  return order
}

export const repeat = (lead: Lead, key: string): Repeat => {
  const found = lead.repeats.find((r) => r.key === key)
  assert(found !== undefined, `${key} among ${lead.repeats.map((r) => r.key).join(', ')}`)
  return found
}

export const advert = 'advert 7 224.0.0.18 100 [10.0.0.100 10.0.0.101]'

export const adds = [
  'add 10.0.0.100/24 on 3 ~17',
  'add 10.0.0.101/24 on 3 ~17',
  'add fd00::1/64 on 4 ~17',
]

export const announced = ['arp 10.0.0.100 on 3', 'na fd00::1 on 4']
