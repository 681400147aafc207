/**
 * No false failover while the machine has no time: the main thread of both vipds stands still for 2 s out of every 4
 * with 200 instances at 0.01 s; and eight busy processes on this machine with one instance at 0.05 s, for vipd and for
 * keepalived. A false failover is a reign of the heir while the better one is connected and alive.
 *
 * npm run bench:starvation -- [--seconds 60] [--busy 8]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Capture, VrrpFrame } from '../src/lab/capture.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { held, hostOn, manyInstances, type Size, startLogging } from './many-instances.ts'

const priorities = { better: 150, heir: 100 }
const heirAddress = '172.16.80.3'
const stutter = new URL('./stutter.js', import.meta.url).href

type Start = (host: Host, text: string) => Daemon
type Row = {
  readonly what: string
  readonly daemon: DaemonKind
  readonly seconds: number
  readonly falseFailovers: number
}

/** The heir's reigns: its adverts, a new one after three intervals of silence or in another virtual router. */
function reigns(capture: Capture, { advertInt }: Size): number {
  const last = new Map<number, number>()
  let count = 0
  for (const { vrid, atMs } of capture.adverts((a: VrrpFrame) => a.priority > 0)) {
    if (atMs - (last.get(vrid) ?? 0) > 3_000 * advertInt) count++
    last.set(vrid, atMs)
  }
  return count
}

async function falseFailovers(
  size: Size,
  start: Start,
  seconds: number,
  busy: number,
): Promise<number> {
  const lab = await openLab({ name: 'starve' })
  try {
    const one = await hostOn(lab, 'one', 2, size)
    const two = await hostOn(lab, 'two', 3, size)
    start(one, manyInstances(priorities.better, size))
    await until(
      'the better one holds all',
      60_000,
      async () => (await held(one)) === size.instances,
    )
    start(two, manyInstances(priorities.heir, size))
    await delay(5_000)
    if ((await held(two)) > 0) throw new Error('the heir did not stay backup')
    // Silent but for what is looked for, so that looking costs nothing.
    const capture = await lab.capture({ filter: `ip proto 112 and src host ${heirAddress}` })
    for (let i = 0; i < busy; i++) two.spawn('sh', ['-c', 'while :; do :; done'], { name: 'busy' })
    await delay(seconds * 1_000)
    return reigns(capture, size)
  } finally {
    await lab.close()
  }
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    busy: { type: 'string', default: '8' },
  },
})
const seconds = Number(values.seconds)
const busy = Number(values.busy)
const stalled: Start = (host, text) =>
  startVipd(host, text, 'vipd', ['env', `NODE_OPTIONS=--import=${stutter}`])
const usual =
  (kind: DaemonKind): Start =>
  (host, text) =>
    startLogging(kind, host, text)
const many = { instances: 200, addresses: 1, advertInt: 0.01 }
const one = { instances: 1, addresses: 1, advertInt: 0.05 }
const runs: readonly [what: string, DaemonKind, Size, Start, busy: number][] = [
  ['200 × 0.01 s, main threads still 2 s of 4', 'vipd', many, stalled, 0],
  [`0.05 s, ${busy} busy processes`, 'vipd', one, usual('vipd'), busy],
  [`0.05 s, ${busy} busy processes`, 'keepalived', one, usual('keepalived'), busy],
]
process.stdout.write('| what | daemon | seconds | false failovers |\n| --- | --- | ---: | ---: |\n')
const rows: Row[] = []
for (const [what, daemon, size, start, load] of runs) {
  const count = await falseFailovers(size, start, seconds, load)
  process.stdout.write(`| ${what} | ${daemon} | ${seconds} | ${count} |\n`)
  rows.push({ what, daemon, seconds, falseFailovers: count })
}
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/starvation.json', `${JSON.stringify(rows, null, 2)}\n`)
