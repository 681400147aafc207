/** For each code of the doctor what has to be changed on a host on which nothing is wrong. */
import type { Code } from '../../../src/doctor/codes.ts'
import type { Facts } from '../../../src/doctor/facts.ts'
import type { StatusInstance } from '../../../src/report/status.ts'
import {
  away,
  host,
  instance,
  link,
  running,
  status,
  sysctl,
  vip,
  withConfig,
  withHost,
  withInstance,
  withLease,
  withLink,
  withRunning,
  withStatus,
} from './host-facts.ts'

export const table = (name: string) => [{ table: { family: 'ip', name } }]
export const second = {
  ...link,
  name: 'eth1',
  addresses: [{ address: '10.0.0.7', prefixLength: 24 }],
}
export const twins = { links: [link, second] }
export const held = withLink({
  addresses: [...link.addresses, { address: vip.address, prefixLength: 32 }],
})
export const strict = { ...twins, ...sysctl('net/ipv4/conf/all/rp_filter', '1') }
const input = { family: 'inet', table: 'f', name: 'in', hook: 'input', policy: 'drop' }
const trusted = {
  rule: {
    family: 'inet',
    table: 'f',
    chain: 'in',
    expr: [
      {
        match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@known' },
      },
      { accept: null },
    ],
  },
}
export const six = {
  family: 6 as const,
  group: 'ff02::12',
  addresses: [{ ...vip, address: 'fd00::100', prefixLength: 128, nodad: false }],
}
export const keepalived = {
  kind: 'keepalived' as const,
  where: '9',
  instances: [{ ...instance, vrid: 9 }],
}
export const led = {
  state: 'MASTER' as const,
  master: { address: '10.0.0.1', priority: 100, self: true },
}
export const afterSilence = {
  ...led,
  history: [
    {
      at: '2026-03-01T11:00:00Z',
      from: 'BACKUP',
      to: 'MASTER',
      why: 'master 10.0.0.2 timed out',
      cause: 'timeout' as StatusInstance['history'][number]['cause'],
    },
  ],
}
export const signed = (skewSeconds: number): Facts => ({
  ...withInstance({ hmacWindow: 10 }),
  status: {
    ...status,
    instances: [
      {
        ...running,
        authentication: {
          mode: 'enforce',
          antiReplay: 'time',
          windowSeconds: 10,
          keys: [1],
          activeKey: 1,
          sequence: '0',
          verified: 1,
          unsigned: 0,
          senders: [{ address: '10.0.0.2', skewSeconds, agoMs: 1 }],
        },
      },
    ],
  },
})
const unit = { name: 'vipd.service', restart: 'always', watchdog: true, cleansUp: true }

/** What is wrong, and the findings that it must lead to, in their order. */
export const situations: Readonly<Record<Code, Facts>> = {
  'daemon-away': away(),
  'daemon-warning': withStatus({ warnings: ['the warden was lost'] }),
  'instance-fault': withRunning({ state: 'FAULT', why: 'eth0 is down', master: null }),
  'configuration-broken': withConfig({ runs: false, exit: 4, mistakes: ['x:1:1: no [a]'] }),
  'configuration-mistakes': withConfig({ exit: 5, mistakes: ['x:1:1: no [a]', 'x:2:1: no [b]'] }),
  'scripts-insecure': withConfig({ exit: 6, mistakes: ['x:1:1: writable [a]'] }),
  'configuration-changed': withStatus({ config: { ...status.config, unchangedOnDisk: false } }),
  'configuration-other': withConfig({ path: '/tmp/other.conf' }),
  'upgrade-refused': withStatus({
    upgrades: {
      ...status.upgrades,
      lastRefusal: { at: '2026-03-02T00:00:00.000Z', why: 'it has BFD sessions' },
    },
  }),
  'reload-rejected': withStatus({ config: { ...status.config, lastReload: 'rejected' } }),
  'same-vrid-here': withHost({ keepalived: [{ ...keepalived, instances: [instance] }] }),
  'keepalived-runs': withHost({ keepalived: [keepalived] }),
  'keepalived-table': withHost({ ruleset: table('keepalived') }),
  'vipd-table': away({ ruleset: table('vipd_run_0123456789ab') }),
  'left-address': away(held),
  'foreign-address': withRunning({
    addresses: [
      {
        address: vip.address,
        prefixLength: 32,
        interface: 'eth0',
        excluded: false,
        present: true,
        foreign: true,
      },
    ],
  }),
  'address-claimed': withRunning({
    claims: {
      ...running.claims,
      claimants: [
        {
          ...{ address: vip.address, interface: 'eth0', mac: '02:00:00:00:00:99', how: 'used' },
          ...{ sameMac: false, count: 3, firstAgoMs: 9_000, lastAgoMs: 1_000 },
        },
      ],
    },
  }),
  'address-was-claimed': withRunning({
    claims: {
      ...running.claims,
      history: [
        {
          ...{ at: '2026-11-28T03:00:01.000Z', firstAt: '2026-11-28T03:00:00.000Z' },
          ...{ lastAt: '2026-11-28T03:04:00.000Z', address: vip.address, interface: 'eth0' },
          ...{ mac: '02:00:00:00:00:99', how: 'used', sameMac: false, count: 3, announced: 1 },
          takeOver: null,
        },
      ],
    },
  }),
  'claim-check-cannot-ask': withInstance(
    { claimCheck: 'start' },
    withLink({ flags: [...link.flags, 'NOARP'] }),
  ),
  'firewall-drops': withHost({ ruleset: [{ chain: input }] }),
  'firewall-may-drop': withHost({ ruleset: [{ chain: input }, trusted] }),
  'rp-filter-strict': withHost(strict),
  'arp-not-answered': withHost(sysctl('net/ipv4/conf/eth0/arp_ignore', '8')),
  'arp-filter': withHost({ ...twins, ...sysctl('net/ipv4/conf/eth0/arp_filter', '1') }),
  'keepalived-sysctls': withHost({
    sysctls: {
      ...host.sysctls,
      'net/ipv4/conf/eth0/arp_ignore': '1',
      'net/ipv4/conf/eth0/arp_filter': '1',
    },
  }),
  'promote-secondaries': withInstance({ addresses: [{ ...vip, prefixLength: 24 }] }),
  'nonlocal-bind': withHost(sysctl('net/ipv4/ip_nonlocal_bind', '0')),
  'interface-missing': withHost({ links: [] }),
  'interface-down': withHost(withLink({ flags: ['MULTICAST', 'UP', 'NO-CARRIER'] })),
  'no-multicast': withHost(withLink({ flags: ['UP'] })),
  // 20 + 8 + 4 · 3 = 40 octets.
  'mtu-small': withInstance({ advertised: 3 }, withLink({ mtu: 39 })),
  'ipv6-disabled': withInstance(six, sysctl('net/ipv6/conf/eth0/disable_ipv6', '1')),
  'accept-dad': withInstance(six, sysctl('net/ipv6/conf/eth0/accept_dad', '2')),
  'peer-unheard': {
    ...withRunning(afterSilence),
    host: { ...host, neighbours: [{ address: '10.0.0.2', answers: true }] },
  },
  'peer-silent': withInstance(
    { peers: ['10.0.0.2'], group: null },
    { neighbours: [{ address: '10.0.0.2', answers: false }] },
  ),
  'no-second-host': withRunning({ ...led, adverts: { ...running.adverts, received: 0 } }),
  'peer-ignored': withRunning({
    ignored: [{ from: '10.0.0.2', why: 'authType', explanation: 'auth_pass differs' }],
  }),
  'equal-priority': withRunning({ effectivePriority: 200 }),
  'unknown-vrid': withStatus({ unknownVrids: [{ interface: 'eth0', vrid: 15, from: '10.0.0.9' }] }),
  'two-checksum-forms': withRunning({ checksums: { 'pseudo-header': 1, message: 1 } }),
  'snooping-without-querier': withInstance(six, {
    links: [
      { ...link, master: 'br0' },
      { ...link, name: 'br0', addresses: [], snooping: true },
    ],
  }),
  'clock-unsynchronised': withInstance({ hmacWindow: 10 }, { clockSynchronised: false }),
  'clock-skew': signed(-6),
  'no-realtime': withStatus({ engine: { ...status.engine, realtime: false } }),
  'realtime-throttled': withHost(sysctl('kernel/sched_rt_runtime_us', '0')),
  'networkd-removes': withHost({
    networkd: { removes: [{ interface: 'eth0', file: '/etc/x.network' }], managesRoutes: false },
  }),
  'networkd-routes': withInstance({ routes: true }),
  'networkmanager-manages': withHost({ networkManager: ['eth0'] }),
  'missing-capability': withHost({
    process: { pid: 7, capabilities: [13], realtimeLimit: 99, swappedKib: 0 },
  }),
  'sysctls-read-only': withInstance({ ...six, vmac: true }, { sysctlsReadOnly: true }),
  'memory-limit': withHost({ memoryLimit: 64 << 20 }),
  swapped: withHost({
    process: { pid: 7, capabilities: [12, 13], realtimeLimit: 99, swappedKib: 4 },
  }),
  'swap-without-lock': withHost({ swapKib: 1_024 }),
  'unit-restart': withHost({ unit: { ...unit, restart: 'no' } }),
  'unit-watchdog': withHost({ unit: { ...unit, watchdog: false } }),
  'unit-cleanup': withHost({ unit: { ...unit, cleansUp: false } }),
  'warden-restarted': withHost({ wardenLaterMs: 90_000 }),
  'kernel-lease-off': withHost({ hasNft: true, kernelRelease: '5.16.0-1-amd64' }),
  'lease-adverts': withLease({ ...instance, downTimerAdverts: 5 }),
  'lease-sooner': withRunning({
    kernelLease: {
      ...{ state: 'waiting', leaseMs: 300, why: null },
      soonerTakeOvers: ['the peer misses bfd/b after 150 ms'],
    },
  }),
  'kernel-feature': withInstance({ accept: false }, { hasNft: false }),
}
