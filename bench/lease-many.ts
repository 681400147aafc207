/**
 * A master with a kernel lease for each of many instances, beside one without: until all hold their addresses, until all have
 * their lease, a reload that changes nothing and one that changes an interval, processor time at rest, memory.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { openLab } from '../src/lab/lab.ts'
import { cpuSeconds, residentMb } from '../src/lab/trial.ts'
import { startVipd, type Vipd, type VipdStatus } from '../src/lab/vipd.ts'
import { nowMs, until } from '../src/lab/wait.ts'
import { type LeaseBench, median } from './lease-common.ts'
import { held, hostOn, manyInstances, type Size } from './many-instances.ts'

const soonMs = 120_000
const priority = 150
const restMs = 10_000
/** The second burst of announcements is over. */
const quietMs = 7_000
const usual = 1

type Figures = {
  readonly startMs: number
  readonly leasedMs: number
  readonly reloadMs: number
  readonly alteredMs: number
  readonly cpu: number
  readonly residentMb: number
}

const textOf = (size: Size, lease: boolean): string =>
  `global_defs {\n  script_user root\n  ${lease ? 'vipd_kernel_lease on' : ''}\n}\n${manyInstances(priority, size)}`

/** null: it does not answer in time. */
async function answering(vipd: Vipd): Promise<number | null> {
  const { status, stdout } = await vipd.ask('status', '--json')
  if (status === null || status > 1) return null
  const { instances } = JSON.parse(stdout) as VipdStatus
  return instances.filter(({ kernelLease }) => kernelLease?.state === 'answers').length
}

async function measure(size: Size, lease: boolean): Promise<Figures> {
  const lab = await openLab({ name: 'many' })
  try {
    const one = await hostOn(lab, 'one', 2, size)
    const fromMs = nowMs()
    const vipd = startVipd(one, textOf(size, lease))
    const { instances } = size
    await until('all addresses are there', soonMs, async () => (await held(one)) === instances, 50)
    const startMs = nowMs() - fromMs
    const all = lease ? instances : 0
    const inForce = () =>
      until('all leases are in force', soonMs, async () => (await answering(vipd)) === all, 50)
    await inForce()
    const leasedMs = nowMs() - fromMs
    await delay(quietMs)
    const pid = await vipd.child.pid()
    const [beforeS, beforeMs] = [cpuSeconds(pid), nowMs()]
    await delay(restMs)
    const cpu = ((cpuSeconds(pid) - beforeS) * 1_000) / (nowMs() - beforeMs)
    const memory = residentMb(pid)
    const reload = async (next: Size) => {
      vipd.configure(textOf(next, lease))
      const begunMs = nowMs()
      const { status, text } = await vipd.tryReload()
      if (status !== 0) throw new Error(text)
      const ms = nowMs() - begunMs
      await inForce()
      return ms
    }
    const reloadMs = await reload(size)
    const alteredMs = await reload({ ...size, advertInt: size.advertInt * 1.1 })
    return { startMs, leasedMs, reloadMs, alteredMs, cpu, residentMb: memory }
  } finally {
    await lab.close()
  }
}

export async function many({ n, instances, advertInt, isOver, print }: LeaseBench) {
  print([
    ...['instances', 'advert_int', 'lease', 'n', 'all addresses ms', 'all leases ms', 'reload ms'],
    ...['reload, other interval ms', 'CPU % at rest', 'RSS MB'],
  ])
  print(Array.from({ length: 10 }, () => '---'))
  const results: unknown[] = []
  for (const count of instances) {
    const found: Record<'off' | 'on', Figures[]> = { off: [], on: [] }
    const size = { instances: count, addresses: 1, advertInt }
    for (let turn = 0; turn < (n ?? usual) && !isOver(); turn++)
      for (const way of ['off', 'on'] as const) found[way].push(await measure(size, way === 'on'))
    for (const way of ['off', 'on'] as const) {
      if (found[way].length === 0) continue
      print([count, advertInt, way, found[way].length, ...row(found[way])])
      results.push({ count, advertInt, way, figures: found[way] })
    }
  }
  return results
}

function row(figures: readonly Figures[]): readonly string[] {
  const middle = (pick: (one: Figures) => number) => median(figures.map(pick))
  return [
    middle((it) => it.startMs).toFixed(0),
    middle((it) => it.leasedMs).toFixed(0),
    middle((it) => it.reloadMs).toFixed(0),
    middle((it) => it.alteredMs).toFixed(0),
    (100 * middle((it) => it.cpu)).toFixed(1),
    middle((it) => it.residentMb).toFixed(0),
  ]
}
