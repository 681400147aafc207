/** A host on which the doctor finds nothing, and the same with something changed. */
import assert from 'node:assert/strict'
import {
  type ConfigFact,
  type Facts,
  type HostFact,
  type InstanceFact,
  type LinkFact,
  nothingKnown,
} from '../../../src/doctor/facts.ts'
import type { Status, StatusInstance } from '../../../src/report/status.ts'
import { aStatus as example } from '../cli/a-status.ts'

export const vip = { address: '10.0.0.100', prefixLength: 32, interface: null, nodad: true }
export const instance: InstanceFact = {
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
export const link: LinkFact = {
  name: 'eth0',
  flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
  mtu: 1_500,
  master: null,
  snooping: false,
  querier: false,
  addresses: [{ address: '10.0.0.1', prefixLength: 24 }],
}
export const host: HostFact = {
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
export const running: StatusInstance = {
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
export const status: Status = {
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
export const well: Facts = {
  runDir: '/run/vipd',
  daemon: 'answers',
  status,
  config,
  others: [],
  host,
  unseen: [],
}

export const withHost = (change: Partial<HostFact>): Facts => ({
  ...well,
  host: { ...host, ...change },
})
export const withConfig = (change: Partial<ConfigFact>): Facts => ({
  ...well,
  config: { ...config, ...change },
})
export const withInstance = (
  change: Partial<InstanceFact>,
  more: Partial<HostFact> = {},
): Facts => ({
  ...withConfig({ instances: [{ ...instance, ...change }] }),
  host: { ...host, ...more },
})
export const withLease = (of: InstanceFact): Facts =>
  withConfig({ kernelLease: 'on', instances: [of] })
export const withStatus = (change: Partial<Status>): Facts => ({
  ...well,
  status: { ...status, ...change },
})
export const withRunning = (change: Partial<StatusInstance>): Facts =>
  withStatus({ instances: [{ ...running, ...change }] })
export const withLink = (change: Partial<LinkFact>): Partial<HostFact> => ({
  links: [{ ...link, ...change }],
})
export const sysctl = (path: string, value: string): Partial<HostFact> => ({
  sysctls: { ...host.sysctls, [path]: value },
})
export const away = (change: Partial<HostFact> = {}): Facts => ({
  ...withHost({ process: null, ...change }),
  daemon: 'away',
  status: null,
})
