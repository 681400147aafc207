/**
 * What is left behind by upgrades in a row: memory, threads and descriptors of the process that goes on, beside a fresh start
 * of the same age. Each daemon is a master with all that is passed on: a kernel lease, tables, a FIFO, a check, HTTP.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import { openLab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { oneInstance } from './one-instance.ts'
import { type Figures, figuresIn } from './own-figures.ts'

const config = `global_defs {
vipd_history off
vipd_kernel_lease on
vrrp_notify_fifo /run/lab/fifo
vipd_http unix:/run/lab/http.sock
vrrp_garp_master_delay 0
}
vrrp_script chk {
  script "/bin/true"
  interval 1
}
${oneInstance(150, 1).replace('advert_int', 'track_script {\n chk\n }\n  no_accept\n  advert_int')}`

/** How long after its start a process is looked at, at least. */
const ageMs = 5_000
/** Fresh starts that the last process is compared with. */
const fresh = 3

/**
 * `n` upgrades, or as many as begin within `withinMs`: the rows say how many. The process that goes on is looked at after the
 * first, in the middle and at the end.
 */
export async function upgradesTable(n: number, withinMs: number): Promise<string> {
  const lab = await openLab({ name: 'upgrades' })
  try {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const started = async () => {
      const vipd = startVipd(host, config)
      await vipd.reaches('VI_1', 'MASTER', 60_000)
      return vipd
    }
    const look = async () => {
      await delay(ageMs)
      return figuresIn(host)
    }
    const starts: Figures[] = []
    for (let i = 1; i < fresh; i += 1) {
      const vipd = await started()
      starts.push(await look())
      await vipd.stop()
    }
    const vipd = await started()
    starts.push(await look())
    const rows =
      starts.length === 0 ? [] : [row(`a fresh start, median of ${fresh}`, middle(starts))]
    const endMs = performance.now() + withinMs
    for (let i = 1; i <= n; i += 1) {
      const { status, stdout, stderr } = await vipd.ask('upgrade', '--leave-parent')
      if (status !== 0) throw new Error(`upgrade ${i}: ${stdout}${stderr}`)
      const last = i === n || performance.now() > endMs
      if (last || i === 1 || i === Math.ceil(n / 2))
        rows.push(row(`after ${i} upgrade${i === 1 ? '' : 's'}`, await look()))
      if (last) break
    }
    const head = ['process', 'MB', 'threads', 'descriptors']
    return tableText({ head, rows })
  } finally {
    await lab.close()
  }
}

const middle = (all: readonly Figures[]): Figures => {
  const median = (of: (one: Figures) => number) => summarise(all.map(of))?.p50 ?? Number.NaN
  return {
    residentMb: median((one) => one.residentMb),
    threads: median((one) => one.threads),
    descriptors: median((one) => one.descriptors),
    ranNs: median((one) => one.ranNs),
  }
}

const row = (what: string, { residentMb, threads, descriptors }: Figures): string[] => [
  ...[what, residentMb.toFixed(1), String(threads), String(descriptors)],
]
