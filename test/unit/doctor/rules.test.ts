/** Every code of `vipd doctor`: a host on which nothing is wrong, and what has to be changed for each finding. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Code, codes, verdictOf } from '../../../src/doctor/codes.ts'
import { diagnose } from '../../../src/doctor/diagnose.ts'
import {
  type ConfigFact,
  type Facts,
  type HostFact,
  type InstanceFact,
  type LinkFact,
  nothingKnown,
} from '../../../src/doctor/facts.ts'
import type { Status, StatusInstance } from '../../../src/report/status.ts'
import { packageRoot } from '../../config/ask-both.ts'
import { aStatus as example } from '../cli/a-status.ts'

const vip = { address: '10.0.0.100', prefixLength: 32, interface: null, nodad: true }
const instance: InstanceFact = {
  name: 'VI_1',
  interface: 'eth0',
  vrid: 51,
  family: 4,
  version: 3,
  advertMs: 1_000,
  downTimerAdverts: 3,
  addresses: [vip],
  advertised: 1,
  peers: null,
  group: '224.0.0.18',
  ah: false,
  hmacWindow: null,
  vmac: false,
  ipvlan: false,
  accept: true,
  promoteSecondaries: false,
  claimCheck: 'off',
  routes: false,
}
const config: ConfigFact = {
  path: '/etc/vipd/vipd.conf',
  runs: true,
  exit: 0,
  mistakes: [],
  instances: [instance],
  bfd: [],
  realtimePriority: 50,
  kernelLease: 'off',
  noSwap: false,
  netNamespace: null,
}
const link: LinkFact = {
  name: 'eth0',
  flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
  mtu: 1_500,
  master: null,
  snooping: false,
  querier: false,
  addresses: [{ address: '10.0.0.1', prefixLength: 24 }],
}
const host: HostFact = {
  ...nothingKnown,
  uid: 0,
  ownCapabilities: [12, 13, 23],
  links: [link],
  sysctls: { 'net/ipv4/ip_nonlocal_bind': '1', 'net/ipv4/conf/all/rp_filter': '0' },
  ruleset: [],
  keepalived: [],
  process: { pid: 7, capabilities: [12, 13, 23], realtimeLimit: 99, swappedKib: 0 },
  wardenLaterMs: 50,
  networkd: { removes: [], managesRoutes: true },
  networkManager: [],
  clockSynchronised: true,
  swapKib: 0,
  unit: { name: 'vipd.service', restart: 'always', watchdog: true, cleansUp: true },
  hasNft: true,
  hasMacvlan: true,
  hasIpvlan: true,
  sysctlsReadOnly: false,
}
const [first] = example.instances
assert.ok(first)
const running: StatusInstance = {
  ...first,
  name: 'VI_1',
  state: 'BACKUP',
  master: { address: '10.0.0.2', priority: 200, self: false },
  effectivePriority: 100,
  addresses: [],
  ignored: [],
  warnings: [],
  history: [],
  checksums: { 'pseudo-header': 9, message: 0 },
}
const status: Status = {
  ...example,
  config: {
    ...example.config,
    path: config.path,
    lastReload: 'none',
    lastReloadReasons: [],
    unchangedOnDisk: true,
  },
  engine: { ...example.engine, realtime: true, locked: false },
  uptimeMs: 3_600_000,
  unknownVrids: [],
  instances: [running],
  warnings: [],
}
const well: Facts = {
  runDir: '/run/vipd',
  daemon: 'answers',
  status,
  config,
  others: [],
  host,
  unseen: [],
}

const withHost = (change: Partial<HostFact>): Facts => ({ ...well, host: { ...host, ...change } })
const withConfig = (change: Partial<ConfigFact>): Facts => ({
  ...well,
  config: { ...config, ...change },
})
const withInstance = (change: Partial<InstanceFact>, more: Partial<HostFact> = {}): Facts => ({
  ...withConfig({ instances: [{ ...instance, ...change }] }),
  host: { ...host, ...more },
})
const withLease = (of: InstanceFact): Facts => withConfig({ kernelLease: 'on', instances: [of] })
const withStatus = (change: Partial<Status>): Facts => ({
  ...well,
  status: { ...status, ...change },
})
const withRunning = (change: Partial<StatusInstance>): Facts =>
  withStatus({ instances: [{ ...running, ...change }] })
const withLink = (change: Partial<LinkFact>): Partial<HostFact> => ({
  links: [{ ...link, ...change }],
})
const sysctl = (path: string, value: string): Partial<HostFact> => ({
  sysctls: { ...host.sysctls, [path]: value },
})
const away = (change: Partial<HostFact> = {}): Facts => ({
  ...withHost({ process: null, ...change }),
  daemon: 'away',
  status: null,
})
const table = (name: string) => [{ table: { family: 'ip', name } }]
const second = { ...link, name: 'eth1', addresses: [{ address: '10.0.0.7', prefixLength: 24 }] }
const twins = { links: [link, second] }
const held = withLink({
  addresses: [...link.addresses, { address: vip.address, prefixLength: 32 }],
})
const strict = { ...twins, ...sysctl('net/ipv4/conf/all/rp_filter', '1') }
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
const six = {
  family: 6 as const,
  group: 'ff02::12',
  addresses: [{ ...vip, address: 'fd00::100', prefixLength: 128, nodad: false }],
}
const keepalived = {
  kind: 'keepalived' as const,
  where: '9',
  instances: [{ ...instance, vrid: 9 }],
}
const led = {
  state: 'MASTER' as const,
  master: { address: '10.0.0.1', priority: 100, self: true },
}
const afterSilence = {
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
const signed = (skewSeconds: number): Facts => ({
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
const situations: Readonly<Record<Code, Facts>> = {
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

/** Of the daemon that is away it is said each time. */
const others: Readonly<Partial<Record<Code, readonly Code[]>>> = {
  'vipd-table': ['daemon-away'],
  'left-address': ['daemon-away'],
}

const found = (facts: Facts): readonly Code[] => diagnose(facts).map(({ code }) => code)

describe('doctor: the rules', () => {
  test('a host on which nothing is wrong', () => {
    assert.deepEqual(diagnose(well), [])
    assert.equal(verdictOf([]), 0)
  })

  for (const [code, facts] of Object.entries(situations) as [Code, Facts][])
    test(`${code}: it alone, with the severity that scripts rely on`, () => {
      const expected = [code, ...(others[code] ?? [])].sort()
      assert.deepEqual([...found(facts)].sort(), expected)
      for (const finding of diagnose(facts)) {
        assert.equal(finding.severity, codes[finding.code].severity)
        assert.doesNotMatch(`${finding.what} ${finding.mend}`, /undefined|null|NaN/)
      }
    })

  test('what makes none of it', () => {
    const quiet: readonly Facts[] = [
      withHost({ ...strict, links: [link, { ...second, flags: [] }] }),
      withHost({ ...twins, ...sysctl('net/ipv4/conf/all/rp_filter', '2') }),
      withInstance({ version: 3, advertised: 3 }, withLink({ mtu: 40 })),
      withRunning({ ...led, adverts: { ...running.adverts, received: 1 } }),
      withRunning(afterSilence),
      signed(5),
      withInstance({ group: '224.0.0.18' }, { links: [{ ...link, snooping: true }] }),
      withInstance(six, { ruleset: null }),
      withInstance({ downTimerAdverts: 5 }),
      withLease(instance),
    ]
    for (const facts of quiet) assert.deepEqual(found(facts), [])
    const beside = away({ ...held, keepalived: [{ ...keepalived, instances: null }] })
    assert.ok(!found(beside).includes('left-address'))
    const theirs = { ...keepalived, instances: [{ ...instance, vrid: 9 }] }
    assert.ok(!found(away({ ...held, keepalived: [theirs] })).includes('left-address'))
    const lives: Facts = {
      ...away({ ruleset: table('vipd_run_0123456789ab') }),
      others: [{ kind: 'vipd', where: '/run/vipd-x', instances: [] }],
    }
    assert.ok(!found(lives).includes('vipd-table'))
  })

  test('kernel-feature: each kind of link', () => {
    for (const facts of [
      withInstance({ vmac: true }, { hasMacvlan: false, hasIpvlan: true }),
      withInstance({ ipvlan: true }, { hasMacvlan: true, hasIpvlan: false }),
    ])
      assert.deepEqual(found(facts), ['kernel-feature'])
    assert.deepEqual(found(withInstance({ ipvlan: true }, { hasIpvlan: null })), [])
  })

  test('exit status: notes do not count; errors come first', () => {
    const both = withHost({ memoryLimit: 1, ...withLink({ flags: ['UP'] }) })
    assert.deepEqual(found(both), ['no-multicast', 'memory-limit'])
    assert.equal(verdictOf(diagnose(both)), 2)
    assert.equal(verdictOf(diagnose(withHost({ memoryLimit: 1 }))), 1)
    assert.equal(verdictOf(diagnose(withHost({ networkManager: ['eth0'] }))), 0)
  })

  test('docs/doctor.md lists each code with its severity', () => {
    const text = readFileSync(join(packageRoot, 'docs/doctor.md'), 'utf8')
    const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` \| (\w+) \|/gm)]
    const listed = rows.map(([, code = '', severity = '']) => [code, severity])
    const known = Object.entries(codes).map(([code, { severity }]) => [code, severity])
    assert.deepEqual(listed.sort(), known.sort())
  })
})
