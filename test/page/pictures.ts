/** Pictures of the page for docs/pictures, of a pair that this program plays: `npm run pictures`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Recent } from '../../src/report/recent.ts'
import type { Status, StatusInstance, StatusTransition } from '../../src/report/status.ts'
import { packageRoot } from '../config/ask-both.ts'
import { aStatus } from '../unit/cli/a-status.ts'
import { serving } from '../unit/surfaces/http-daemon.ts'
import { Browser } from './browser.ts'
import { freePort } from './site.ts'

const nowMs = Date.now()
const ago = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString()

const [aWeb, aDb] = aStatus.instances as [StatusInstance, StatusInstance]
const [aCheck] = aStatus.checks

const transition = (
  minutes: number,
  from: string,
  to: string,
  cause: StatusTransition['cause'],
  why: string,
): StatusTransition => ({ at: ago(minutes), from, to, cause, why })

const web = (here: boolean): StatusInstance => ({
  ...aWeb,
  state: here ? 'MASTER' : 'BACKUP',
  basePriority: here ? 150 : 100,
  effectivePriority: here ? 150 : 100,
  priorityArithmetic: here ? '150' : '100',
  sinceMs: 11 * 60_000,
  why: here ? 'preempted 10.0.0.2 (priority 100)' : 'higher priority: 10.0.0.1 (150)',
  master: { address: '10.0.0.1', priority: 150, self: here },
  downIntervalMs: here ? null : 361,
  addresses: aWeb.addresses.map((it) => ({ ...it, present: here })),
  transitions: 4,
  history: [
    transition(55, 'INIT', 'BACKUP', 'start', 'started'),
    transition(54, 'BACKUP', 'MASTER', 'timeout', 'no master heard'),
    transition(18, 'MASTER', 'FAULT', 'faults', 'eth0: link down'),
    transition(13, 'FAULT', 'BACKUP', 'recovered', 'eth0: link up'),
    transition(11, 'BACKUP', 'MASTER', 'preempt', 'preempted 10.0.0.2 (priority 100)'),
  ].filter(() => here),
})

const db = (here: boolean): StatusInstance => ({
  ...aDb,
  state: here ? 'BACKUP' : 'MASTER',
  why: here ? 'higher priority: 10.0.1.2 (150)' : 'no master heard',
  basePriority: here ? 100 : 150,
  effectivePriority: here ? 90 : 150,
  priorityArithmetic: here ? '100 - 10 (chk_replica) = 90' : '150',
  master: { address: '10.0.1.2', priority: 150, self: !here },
  sinceMs: 54 * 60_000,
  transitions: 1,
  addresses: aDb.addresses.map((it) => ({ ...it, present: !here })),
  history: [transition(54, 'INIT', 'BACKUP', 'start', 'started')],
  warnings: [],
})

function statusOf(host: 'lb1' | 'lb2'): Status {
  const here = host === 'lb1'
  const check = (name: string, how: string, good: boolean) => ({
    ...{ ...aCheck, name, how, good, usedBy: ['VI_web'], streak: 0 },
    ...{ runs: 3_240, failures: good ? 3 : 41, sinceMs: 11 * 60_000 },
    last: {
      ...{ name, output: '', durationMs: good ? 1.4 : 412 },
      outcome: {
        kind: 'probe',
        ok: good,
        detail: good ? 'status 200' : 'replication is 84 s behind',
      } as const,
    },
  })
  return {
    ...aStatus,
    host,
    pid: here ? 4242 : 911,
    uptimeMs: 55 * 60_000,
    instances: [web(here), db(here)],
    checks: [
      check('chk_haproxy', 'http 127.0.0.1:80/health', true),
      { ...check('chk_replica', 'postgres 127.0.0.1:5432', false), usedBy: ['VI_db'] },
    ] as Status['checks'],
    warnings: [],
  }
}

const runs = (median: number, bad: (i: number) => boolean) =>
  Array.from({ length: 60 }, (_, i) => ({
    atMs: nowMs - (60 - i) * 2_000,
    durationMs: bad(i) ? median * 40 : median * (1 + ((i * 7) % 11) / 12),
    outcome: bad(i) ? ('failed' as const) : ('good' as const),
  }))

const recent: Recent = {
  schema: 1,
  instances: [
    { name: 'VI_web', advertMs: 100, downMs: 361, longGaps: [] },
    {
      ...{ name: 'VI_db', advertMs: 1_000, downMs: 3_640 },
      longGaps: [
        [47, 1_520],
        [31, 2_010],
        [30, 1_610],
        [12, 2_730],
        [4, 1_560],
      ].map(([minutes = 0, gapMs = 0]) => ({ atMs: nowMs - minutes * 60_000, gapMs })),
    },
  ],
  checks: [
    {
      ...{ name: 'chk_haproxy', intervalMs: 2_000, timeoutMs: 1_000, rise: 2, fall: 3 },
      results: runs(1.2, (i) => i === 17),
    },
    {
      ...{ name: 'chk_replica', intervalMs: 2_000, timeoutMs: 1_000, rise: 2, fall: 3 },
      results: runs(10, (i) => i > 38),
    },
  ],
}

const listener = (port: number) => ({
  address: { kind: 'tcp', host: '127.0.0.1', port } as const,
  ...{ readToken: null, actionToken: null, tls: null, names: [] },
})

const views = [
  { name: 'page-light', width: 1180, height: 1_480, colours: 'light' },
  { name: 'page-dark', width: 1180, height: 1_480, colours: 'dark' },
  { name: 'page-phone', width: 390, height: 844, colours: 'light' },
] as const

const folder = process.argv[2] ?? join(packageRoot, 'docs/pictures')
mkdirSync(folder, { recursive: true })
const [here, there] = [await freePort(), await freePort()]
await serving([listener(there)], async (peer) => {
  peer.status = statusOf('lb2')
  const peers = [{ url: `http://127.0.0.1:${there}`, token: null, ca: null }]
  await serving(
    [listener(here)],
    async (daemon) => {
      daemon.status = statusOf('lb1')
      daemon.recent = recent
      const browser = await Browser.open()
      try {
        for (const { name, width, height, colours } of views) {
          await browser.send('Emulation.setScrollbarsHidden', { hidden: true })
          await browser.size(width, height)
          await browser.colours(colours)
          await browser.go(`http://127.0.0.1:${here}/`)
          await browser.until('the peer', '/lb2, priority/.test(document.body.innerText)')
          await browser.until('runs', 'document.querySelector(".runs rect") !== null')
          await browser.until('bars', 'document.querySelector(".gaps rect") !== null')
          await browser.picture(join(folder, `${name}.png`))
        }
      } finally {
        await browser.close()
      }
    },
    peers,
  )
})
