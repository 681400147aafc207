/** What the question before a take-over costs it: a master is cut off, and the backup asks, or does not. */
import { setTimeout as delay } from 'node:timers/promises'
import { parseIp } from '../src/base/ip.ts'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import { openLab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { oneInstance } from './one-instance.ts'

const soonMs = 60_000
const advertInt = 0.1

/** From the last advert of the master that is cut off to the first of the backup, on the wire. */
async function measure(check: 'off' | 'always'): Promise<number> {
  // A lab for each: a master that comes and goes is damped (docs/split-brain.md).
  const lab = await openLab({ name: 'claim' })
  try {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
    const capture = await lab.capture()
    const conf = (priority: number) =>
      `global_defs {\n  vipd_claim_check ${check}\n}\n${oneInstance(priority, advertInt)}`
    const master = startVipd(one, conf(150))
    await master.reaches('VI_1', 'MASTER', soonMs)
    const backup = startVipd(two, conf(100))
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    // At any phase of the adverts.
    await delay(500 + Math.random() * 100)
    await lab.cut(one)
    const source = parseIp('172.16.80.3')
    const first = await capture.advert(
      'an advert of the backup',
      soonMs,
      (it) => it.from === source,
    )
    const before = capture.adverts((it) => it.from !== source && it.atMs < first.atMs).at(-1)
    return first.atMs - (before?.atMs ?? Number.NaN)
  } finally {
    await lab.close()
  }
}

export async function takeoverTable(n: number): Promise<void> {
  const spans = { off: [] as number[], always: [] as number[] }
  for (let i = 0; i < n; i++)
    for (const check of ['off', 'always'] as const) spans[check].push(await measure(check))
  // Three intervals and the skew time of priority 100.
  const floor = advertInt * (3 + (256 - 100) / 256) * 1_000
  const rows = Object.entries(spans).map(([check, values]) => {
    const { min = Number.NaN, p50 = Number.NaN, max = Number.NaN } = summarise(values) ?? {}
    return [check, String(n), ...[floor, min, p50, max].map((ms) => ms.toFixed(2))]
  })
  const head = ['vipd_claim_check', 'n', 'floor ms', 'min', 'median', 'max']
  process.stdout.write(`${tableText({ head, rows })}\n`)
}
