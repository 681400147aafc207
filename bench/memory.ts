/**
 * What a daemon with one instance holds and uses beside what it has to, the daemon with its warden:
 *
 * npm run bench:memory -- surfaces [--rounds 5] [--seconds 20]   memory of each surface, by turns; 8 times the two, and starts
 * npm run bench:memory -- features [--rounds 5] [--seconds 15]   a kernel lease and what is done about claims; 3 minutes
 * npm run bench:memory -- upgrades [--n 50] [--within 150]       after upgrades in a row; n, or what so many seconds allow
 */
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { residentMb } from '../src/lab/trial.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { setPolicy, startBus } from '../test/dbus/bus.ts'
import { featuresTable } from './memory-features.ts'
import { upgradesTable } from './memory-upgrades.ts'
import { oneInstance } from './one-instance.ts'

type Surface = {
  readonly what: string
  /** In `global_defs`. */
  readonly lines: readonly string[]
  /** Asked for each second; `/api/v1/events` is listened to. */
  readonly asks?: string
}

const socket = '/run/lab/http.sock'
const http = [`vipd_http unix:${socket}`]
const surfaces: readonly Surface[] = [
  { what: 'none', lines: [] },
  { what: 'history on the disk', lines: ['vipd_history /run/lab/history'] },
  { what: 'dump files', lines: ['vipd_dumps /run/lab/dumps'] },
  { what: 'HTTP, no client', lines: http },
  { what: 'HTTP, metrics each second', lines: http, asks: '/metrics' },
  { what: 'HTTP, the page is open', lines: http, asks: '/api/v1/events' },
  { what: 'D-Bus', lines: ['enable_dbus'] },
  {
    what: 'history, HTTP with metrics, D-Bus',
    lines: [...http, 'vipd_history /run/lab/history', 'enable_dbus'],
    asks: '/metrics',
  },
]

/** What it returns stops it. */
function client(path: string, target: string): () => void {
  const ask = () => {
    const asked = request({ socketPath: path, path: target, agent: false }, (answer) =>
      answer.resume(),
    )
    asked.on('error', () => undefined)
    asked.end()
    return asked
  }
  if (target === '/api/v1/events') {
    const asked = ask()
    return () => asked.destroy()
  }
  const timer = setInterval(ask, 1_000)
  return () => clearInterval(timer)
}

async function measure(host: Host, { lines, asks }: Surface, seconds: number): Promise<number> {
  const keeps = lines.some((line) => line.startsWith('vipd_history'))
  const defs = keeps ? lines : ['vipd_history off', ...lines]
  const vipd = startVipd(host, `global_defs {\n${defs.join('\n')}\n}\n${oneInstance(150, 1)}`)
  await vipd.reaches('VI_1', 'MASTER', 60_000)
  if (lines.includes(http[0] ?? '')) await vipd.child.line(/HTTP: served at/, 60_000)
  const stop =
    asks === undefined ? () => undefined : client(`/proc/${host.pid}/root${socket}`, asks)
  await delay(seconds * 1_000)
  const found = residentMb(await vipd.child.pid())
  stop()
  await vipd.stop()
  return found
}

async function surfacesTable(rounds: number, seconds: number): Promise<string> {
  const lab = await openLab({ name: 'memory' })
  const found = new Map(surfaces.map(({ what }): [string, number[]] => [what, []]))
  try {
    const addresses = { eth0: ['172.16.80.2/24'] }
    const host = await lab.host('one', { addresses })
    await host.must('mkdir', ['-m', '700', '/run/lab/dumps'])
    setPolicy(host, 'open')
    await startBus(host)
    for (let round = 0; round < rounds; round += 1)
      for (const surface of surfaces)
        found.get(surface.what)?.push(await measure(host, surface, seconds))
  } finally {
    await lab.close()
  }
  const none = summarise(found.get('none') ?? [])
  const rows = [...found].map(([what, all]) => {
    const rss = summarise(all)
    if (rss === null || none === null) throw new Error(`nothing was measured: ${what}`)
    const figures = [rss.p50, rss.min, rss.max, rss.p50 - none.p50]
    return [what, String(rss.n), ...figures.map((figure) => figure.toFixed(1))]
  })
  return tableText({ head: ['surface', 'n', 'median MB', 'min', 'max', 'more than none'], rows })
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    n: { type: 'string', default: '50' },
    within: { type: 'string', default: '150' },
  },
})
const rounds = Number(values.rounds)
const parts = {
  surfaces: () => surfacesTable(rounds, Number(values.seconds ?? 20)),
  features: () => featuresTable(rounds, Number(values.seconds ?? 15)),
  upgrades: () => upgradesTable(Number(values.n), Number(values.within) * 1_000),
}
const [part = ''] = positionals
if (part !== 'surfaces' && part !== 'features' && part !== 'upgrades')
  throw new Error('say which: surfaces, features or upgrades')
process.stdout.write(await parts[part]())
