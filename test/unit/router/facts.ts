/** Configured instances and kernels as tables, for the tests of the daemon's parts. */
import type { Ip } from '../../../src/base/ip.ts'
import { us } from '../../../src/base/time.ts'
import type { Notify } from '../../../src/config/notify.ts'
import type { Place } from '../../../src/config/place.ts'
import type { Instance } from '../../../src/config/types.ts'
import type { VirtualAddress } from '../../../src/config/virtual-address.ts'
import type { KernelAddress } from '../../../src/kernel/address-table.ts'
import type { KernelLink } from '../../../src/kernel/link-table.ts'
import type { KernelView } from '../../../src/kernel/mirror.ts'
import { identityOf, identityOfHeld } from '../../../src/wire/address-identity.ts'

export const place: Place = { file: 'test.conf', line: 1, column: 1 }
export const ip = (text: string): Ip => text as Ip

export const silent: Notify = {
  master: null,
  backup: null,
  fault: null,
  stop: null,
  deleted: null,
  saysDeleted: false,
  masterRxLowerPri: null,
  any: null,
  mail: false,
  priorityChanges: false,
}

export const virtualAddress = (
  address: string,
  more: Partial<VirtualAddress> = {},
): VirtualAddress => ({
  address: ip(address),
  prefixLength: 32,
  interface: null,
  vmac: null,
  broadcast: null,
  label: null,
  scope: 0,
  peer: null,
  home: false,
  nodad: true,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  track: true,
  preferredSeconds: null,
  place,
  ...more,
})

/** The article's instance. */
export const instance = (more: Partial<Instance> = {}): Instance => ({
  name: 'HA_1',
  interface: 'eth0',
  family: 4,
  version: 2,
  vrid: 80,
  priority: 100,
  stateMaster: true,
  advertIntervalUs: us(2_000_000),
  downTimerAdverts: 3,
  password: null,
  ahKey: null,
  hmac: null,
  addresses: [virtualAddress('172.16.80.100')],
  excluded: [],
  routes: [],
  rules: [],
  staticInterfaces: [],
  garpGroups: [],
  transport: { kind: 'multicast', group: ip('224.0.0.18'), source: null },
  vmac: null,
  ipvlan: null,
  vrf: null,
  virtualLinks: [],
  preempt: true,
  preemptDelayUs: us(0),
  accept: true,
  strict: false,
  trackInterfaces: [],
  trackChecks: [],
  trackPrimary: true,
  promoteSecondaries: false,
  garp: {
    masterDelayUs: us(5_000_000),
    masterRepeat: 5,
    masterRefreshUs: us(0),
    masterRefreshRepeat: 1,
    lowerPrioDelayUs: us(5_000_000),
    lowerPrioRepeat: 5,
    arpIntervalUs: us(0),
    naIntervalUs: us(0),
    extraEveryUs: us(0),
    extraAll: false,
  },
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  ownerIgnoreAdverts: false,
  resignOnDemotion: true,
  muteMaster: 'report',
  addressConflict: 'report',
  addressClaim: 'announce',
  claimCheck: 'off',
  claimCheckUs: us(20_000),
  claimPolicy: 'warn',
  maxIntervalRatio: 10,
  skipCheckAdvAddr: false,
  v3ChecksumAsV2: false,
  addressLifetimeSeconds: 0,
  receiveBufferBytes: null,
  notify: silent,
  place,
  ...more,
})

export const link = (
  ifindex: number,
  name: string,
  more: Partial<KernelLink> = {},
): KernelLink => ({
  ifindex,
  name,
  up: true,
  on: true,
  noarp: false,
  multicast: true,
  mac: Uint8Array.of(2, 0, 0, 0, 0, ifindex),
  mtu: 1500,
  kind: null,
  below: null,
  master: null,
  vrfTable: null,
  macvlanMode: null,
  ipvlan: null,
  alias: null,
  ...more,
})

export const address = (
  ifindex: number,
  text: string,
  more: Partial<KernelAddress> = {},
): KernelAddress => ({
  ifindex,
  address: ip(text),
  prefixLength: 24,
  peer: null,
  secondary: false,
  tentative: false,
  duplicate: false,
  protocol: null,
  ours: false,
  again: null,
  ...more,
})

export function kernelOf(
  links: readonly KernelLink[],
  addresses: readonly KernelAddress[],
  forwarding: readonly number[] = [],
): KernelView {
  const find: KernelView['find'] = (ifindex, wanted) =>
    addresses.find((a) => a.ifindex === ifindex && identityOfHeld(a) === identityOf(wanted)) ?? null
  const by = (index: number | undefined) => links.find((l) => l.ifindex === index) ?? null
  return {
    linkByName: (name) => links.find((l) => l.name === name) ?? null,
    linkByIndex: by,
    linkHolding: (wanted, among = () => true) => {
      const holding = addresses.filter((a) => a.address === wanted)
      return holding.map((a) => by(a.ifindex)).find((l) => l !== null && among(l)) ?? null
    },
    addressesOn: (ifindex) => addresses.filter((a) => a.ifindex === ifindex),
    find: (ifindex, wanted) => find(ifindex, wanted),
    isForeign: (ifindex, wanted) => find(ifindex, wanted)?.ours === false,
    secondaries: (ifindex) =>
      addresses.filter((a) => a.ifindex === ifindex && a.secondary && a.again !== null),
    holds: (ifindex, wanted) => find(ifindex, wanted)?.tentative === false,
    forwardsIpv6: (ifindex) => forwarding.includes(ifindex),
  }
}
