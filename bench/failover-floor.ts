/**
 * How much later than the protocol's own deadline a take-over happens. The master is cut off; from the switch's
 * capture (kernel time stamps) come its last advert and the first advert of the backup; what is left after taking
 * away 3 × advert_int + skew is the daemon's own share.
 *
 * node dist/bench/failover-floor.js [vipd|keepalived …] [--n 9]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Capture } from '../src/lab/capture.ts'
import type { DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { startDaemon } from '../src/lab/serving.ts'
import { nowMs } from '../src/lab/wait.ts'
import { oneInstance } from './one-instance.ts'

const intervals = [1, 0.1, 0.01]
const priorities = { better: 150, heir: 100 }

type Figures = {
  readonly daemon: DaemonKind
  readonly advertInt: number
  /** Milliseconds past the deadline, sorted. */
  readonly overMs: readonly number[]
  /** Take-overs while the master was still connected: this machine was too busy for the interval. */
  readonly early: number
}

async function measure(kind: DaemonKind, advertInt: number, n: number): Promise<Figures> {
  const lab = await openLab({ name: 'floor' })
  try {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
    const capture = await lab.capture({ filter: 'ip proto 112' })
    const heir = startDaemon(kind, two, oneInstance(priorities.heir, advertInt))
    const better = startDaemon(kind, one, oneInstance(priorities.better, advertInt))
    const overMs: number[] = []
    let early = 0
    while (overMs.length < n) {
      await better.reaches('VI_1', 'MASTER', 15_000)
      await heir.reaches('VI_1', 'BACKUP', 15_000)
      const over = await cutOnce(lab, one, capture, advertInt)
      if (over === null) early++
      else overMs.push(over)
      await lab.heal(one)
      if (early > n) throw new Error('this machine is too busy to measure')
    }
    return { daemon: kind, advertInt, overMs: overMs.sort((a, b) => a - b), early }
  } finally {
    await lab.close()
  }
}

/**
 * One cut, some adverts into the reign; gives the milliseconds past the deadline. null when the heir had spoken
 * before the cut, which then says nothing about the cut.
 */
async function cutOnce(
  lab: Lab,
  host: Host,
  capture: Capture,
  advertInt: number,
): Promise<number | null> {
  const isBetter = (a: { readonly priority: number }) => a.priority === priorities.better
  // What the heir said as it yielded may still be on its way to us.
  await capture.advert('a master', 15_000, isBetter, capture.mark)
  const from = capture.mark
  const settled = () => capture.adverts(isBetter, from).length >= 4
  await capture.advert('a settled master', 15_000, (a) => isBetter(a) && settled(), from)
  const cutMs = nowMs()
  await lab.cut(host)
  const isHeir = (a: { readonly priority: number }) => a.priority === priorities.heir
  const first = await capture.advert('the heir', 15_000, isHeir, from)
  if (first.atMs < cutMs) return null
  const last = capture.adverts((a) => isBetter(a) && a.atMs < first.atMs, from).at(-1)
  if (last === undefined) throw new Error('the master was never heard')
  const downMs = advertInt * 1_000 * (3 + (256 - priorities.heir) / 256)
  return first.atMs - last.atMs - downMs
}

function row({ daemon, advertInt, overMs, early }: Figures): string {
  const at = (share: number) => overMs[Math.floor(share * (overMs.length - 1))] ?? Number.NaN
  const cells = [at(0), at(0.5), at(1)].map((ms) => ms.toFixed(3).padStart(10))
  return `${daemon.padEnd(12)}${String(advertInt).padStart(10)}${cells.join('')}${String(overMs.length).padStart(6)}${String(early).padStart(7)}`
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { n: { type: 'string', default: '9' } },
})
const kinds = (positionals.length > 0 ? positionals : ['vipd', 'keepalived']) as DaemonKind[]
const head = ['advert_int', 'min ms', 'median ms', 'max ms'].map((word) => word.padStart(10))
process.stdout.write(
  `${'daemon'.padEnd(12)}${head.join('')}${'n'.padStart(6)}${'early'.padStart(7)}\n`,
)
const all: Figures[] = []
for (const advertInt of intervals) {
  for (const kind of kinds) {
    const figures = await measure(kind, advertInt, Number(values.n))
    process.stdout.write(`${row(figures)}\n`)
    all.push(figures)
  }
}
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/failover-floor.json', `${JSON.stringify(all, null, 2)}\n`)
