/**
 * How soon a daemon answers after its start, and what a reload of many instances costs: the command's time, and by how
 * much the latest advert was late meanwhile, and how many instances changed their state, which none may. Beside it the
 * same stretch without a reload.
 *
 * npm run bench:reload -- [--instances 1000] [--n 9]; 4000 within about 2 s is the aim
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summarise } from '../src/base/statistics.ts'
import { requestReload } from '../src/control/client.ts'
import type { Capture } from '../src/lab/capture.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { nowMs, until } from '../src/lab/wait.ts'
import { held, hostOn, linksOf, manyInstances, type Size, segment } from './many-instances.ts'

const outside = (host: Host, daemon: Vipd): string =>
  `/proc/${host.pid}/root${daemon.runDir}/vipd.sock`

/** From the start of the process to its control socket, milliseconds; it ends again. */
async function startOnce(host: Host, size: Size): Promise<number> {
  const fromMs = nowMs()
  const daemon = startVipd(host, manyInstances(100, size))
  await until('the socket is there', 30_000, () => existsSync(outside(host, daemon)), 1)
  const tookMs = nowMs() - fromMs
  await daemon.stop(30_000)
  return tookMs
}

async function starts(size: Size, n: number): Promise<number[]> {
  const lab = await openLab({ name: 'start' })
  try {
    const host = await hostOn(lab, 'one', 2, size)
    const all: number[] = []
    for (let i = 0; i < n; i++) all.push(await startOnce(host, size))
    return all
  } finally {
    await lab.close()
  }
}

/** By how much the latest advert came later than one interval after the one before, milliseconds. */
function latestMs(captures: readonly Capture[], marks: readonly number[], size: Size): number {
  let latest = 0
  captures.forEach((capture, i) => {
    const last = new Map<number, number>()
    for (const { vrid, atMs } of capture.adverts(() => true, marks[i])) {
      const before = last.get(vrid)
      if (before !== undefined) latest = Math.max(latest, atMs - before - size.advertInt * 1_000)
      last.set(vrid, atMs)
    }
  })
  return latest
}

type Reload = {
  readonly tookMs: number
  readonly lateMs: number
  readonly quietLateMs: number
  /** Transitions meanwhile. */
  readonly moved: number
}

async function reloads(size: Size, n: number): Promise<Reload[]> {
  const lab: Lab = await openLab({ name: 'reload' })
  try {
    const host = await hostOn(lab, 'one', 2, size)
    const daemon = startVipd(host, manyInstances(150, size))
    await until('it holds all', 60_000, async () => (await held(host)) === size.instances)
    await delay(2_000)
    const captures: Capture[] = []
    for (let i = 0; i < linksOf(size); i++)
      captures.push(await lab.capture({ segment: segment(i), filter: 'ip proto 112' }))
    const all: Reload[] = []
    for (let i = 0; i < n; i++) {
      const late = async (body: () => Promise<void>): Promise<number> => {
        const marks = captures.map((capture) => capture.mark)
        await delay(500)
        await body()
        await delay(500)
        return latestMs(captures, marks, size)
      }
      const quietLateMs = await late(() => delay(200))
      let tookMs = 0
      const before = daemon.transitions.items.length
      const lateMs = await late(async () => {
        // Every instance changes, and says so on the wire.
        daemon.configure(manyInstances(i % 2 === 0 ? 151 : 150, size))
        const fromMs = nowMs()
        const result = await requestReload(outside(host, daemon))
        tookMs = nowMs() - fromMs
        if (!result.ok) throw new Error('the reload was refused')
      })
      const moved = daemon.transitions.items.length - before
      all.push({ tookMs, lateMs, quietLateMs, moved })
    }
    return all
  } finally {
    await lab.close()
  }
}

function row(what: string, values: readonly number[]): string {
  const { n = 0, min = 0, p50 = 0, max = 0 } = summarise(values) ?? {}
  return `| ${what} | ${[min, p50, max].map((ms) => ms.toFixed(1)).join(' | ')} | ${n} |\n`
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1000' },
    n: { type: 'string', default: '9' },
  },
})
const n = Number(values.n)
const size = { instances: Number(values.instances), addresses: 1, advertInt: 0.1 }
process.stdout.write('| ms | min | median | max | n |\n| --- | ---: | ---: | ---: | ---: |\n')
const one = await starts({ ...size, instances: 1 }, n)
process.stdout.write(row('start to the control socket, 1 instance', one))
const many = await starts(size, n)
process.stdout.write(row(`start to the control socket, ${size.instances} instances`, many))
const reloaded = await reloads(size, n)
const column = (key: keyof Reload) => reloaded.map((reload) => reload[key])
process.stdout.write(row(`reload of ${size.instances} instances`, column('tookMs')))
process.stdout.write(row('the latest advert meanwhile', column('lateMs')))
process.stdout.write(row('the same without a reload', column('quietLateMs')))
process.stdout.write(row('instances that changed their state (number)', column('moved')))
mkdirSync('bench/results', { recursive: true })
const results = { size, startMs: { one, many }, reloaded }
writeFileSync('bench/results/reload.json', `${JSON.stringify(results, null, 2)}\n`)
