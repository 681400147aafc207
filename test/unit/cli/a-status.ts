/** A pair's daemon with one of everything, for the tests of what prints and carries a status. */
import type { Status, StatusInstance } from '../../../src/daemon/status-types.ts'

/** The instant at which the ages in this status are ages. */
export const statusNow = Date.parse('2026-03-01T12:00:00Z')

const web: StatusInstance = {
  name: 'VI_web',
  vrid: 51,
  interface: 'eth0',
  family: 4,
  version: 3,
  state: 'MASTER',
  basePriority: 150,
  effectivePriority: 150,
  priorityArithmetic: '150 = 150 base',
  standsBy: null,
  master: { address: '10.0.0.1', priority: 150, self: true },
  advertIntervalMs: 100,
  downIntervalMs: null,
  lastAdvertAgoMs: null,
  lastSentAgoMs: 31,
  sinceMs: (3 * 24 + 4) * 3_600_000,
  transitions: 2,
  why: '10.0.0.2 timed out',
  addresses: [
    {
      address: '10.0.0.100',
      prefixLength: 24,
      interface: 'eth0',
      excluded: false,
      present: true,
      foreign: false,
    },
    {
      address: '10.0.0.101',
      prefixLength: 24,
      interface: 'eth0',
      excluded: true,
      present: true,
      foreign: false,
    },
  ],
  adverts: { received: 12, sent: 2_736_000, longestGapMs: 104.2 },
  checksums: { 'pseudo-header': 12, message: 0 },
  priorityZero: { received: 0, sent: 1 },
  rejects: { 'bad-checksum': 2, 'bad-ttl': 0 },
  history: [
    { at: '2026-02-26T07:59:56.390Z', from: 'INIT', to: 'BACKUP', why: 'started' },
    { at: '2026-02-26T08:00:00Z', from: 'BACKUP', to: 'MASTER', why: '10.0.0.2 timed out' },
  ],
}

const db: StatusInstance = {
  ...web,
  name: 'VI_db',
  vrid: 52,
  interface: 'eth1',
  state: 'BACKUP',
  basePriority: 100,
  effectivePriority: 90,
  priorityArithmetic: '90 = 100 base - 10 chk_pg',
  master: { address: '10.0.1.2', priority: 150, self: false },
  advertIntervalMs: 1_000,
  downIntervalMs: 3_640.625,
  lastAdvertAgoMs: 400,
  lastSentAgoMs: null,
  sinceMs: 12 * 24 * 3_600_000,
  transitions: 0,
  why: 'chk_pg failing (-10)',
  addresses: [
    {
      address: '10.0.1.100',
      prefixLength: 24,
      interface: 'eth1',
      excluded: false,
      present: false,
      foreign: false,
    },
  ],
  history: [],
}

export const aStatus: Status = {
  schema: 1,
  version: '0.1.0',
  pid: 4242,
  host: 'lb1',
  uptimeMs: (12 * 24 + 4) * 3_600_000,
  config: {
    path: '/etc/vipd/vipd.conf',
    loadedAt: '2026-03-01T06:40:11Z',
    lastReload: 'ok',
    lastReloadAt: null,
    lastReloadReasons: [],
    unchangedOnDisk: true,
  },
  engine: { realtime: true, locked: true, eventsRaised: 9, throttled: 0, coalesced: 0 },
  instances: [web, db],
  groups: [{ name: 'VG', state: 'MASTER', members: ['VI_web'] }],
  checks: [
    {
      name: 'chk_haproxy',
      good: true,
      last: {
        name: 'chk_haproxy',
        outcome: { kind: 'probe', ok: true, detail: 'connected' },
        output: '',
        durationMs: 0.4,
      },
      runs: 1_000,
      failures: 3,
      timeouts: 0,
      overruns: 0,
      streak: 0,
      sinceMs: 3 * 24 * 3_600_000,
      how: 'tcp 127.0.0.1:80',
      usedBy: ['VI_web'],
    },
  ],
  warnings: ['VI_db flapped 9 times in 1 h'],
}
