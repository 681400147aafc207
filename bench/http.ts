/**
 * What HTTP costs the deciding thread: how long it takes to answer a ping on the control socket, which it answers itself,
 * with many instances; without clients, with a hundred that listen to the events, ten of which do not read, and with these and
 * ten more that ask for the status or the metrics each second. By turns in one run.
 *
 * npm run bench:http -- [--instances 1000] [--rounds 5] [--seconds 8]
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { residentMb } from '../src/lab/trial.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { pings } from './control-pings.ts'
import { held, hostOn, manyInstances } from './many-instances.ts'

type Clients = {
  readonly reading: number
  readonly stalling: number
  /** They ask anew each second. */
  readonly asking: number
}

const listening = { reading: 90, stalling: 10, asking: 0 }
const all = { ...listening, asking: 10 }

const kinds = ['HTTP off', 'no clients', '100 clients', '110 clients'] as const
type Kind = (typeof kinds)[number]
type Found = {
  readonly took: number[]
  /** Of the main thread, in percent of a processor. */
  readonly processor: number[]
  readonly memory: number[]
}

async function withClients(
  path: string,
  clients: Clients,
  act: () => Promise<void>,
): Promise<void> {
  const child = fork(new URL('./http-clients.js', import.meta.url), [
    JSON.stringify({ path, ...clients }),
  ])
  try {
    // Until the first statuses are there.
    await delay(3_000)
    await act()
    child.send('octets')
    const octets = await new Promise<unknown>((resolve) => child.once('message', resolve))
    if (octets === 0) throw new Error('the clients were told nothing')
  } finally {
    child.kill('SIGKILL')
  }
}

async function measure(instances: number, rounds: number, seconds: number): Promise<string> {
  const size = { instances, addresses: 1, advertInt: 1 }
  const lab = await openLab({ name: 'http' })
  const found = new Map(
    kinds.map((kind): [Kind, Found] => [kind, { took: [], processor: [], memory: [] }]),
  )
  try {
    const host = await hostOn(lab, 'one', 2, size)
    const off = manyInstances(150, size)
    const on = `global_defs {\n  vipd_http unix:/run/lab/http.sock\n}\n${off}`
    const vipd = startVipd(host, off)
    await until('all addresses are there', 120_000, async () => (await held(host)) === instances)
    const root = `/proc/${host.pid}/root/run/lab`
    const pid = await vipd.child.pid()
    if (pid === null) throw new Error('the daemon has ended')
    const ask = async (kind: Kind) => {
      const before = mainThreadSeconds(pid)
      const began = performance.now()
      const took = await pings(`${root}/vipd/vipd.sock`, seconds)
      const share = (mainThreadSeconds(pid) - before) / ((performance.now() - began) / 1_000)
      found.get(kind)?.took.push(...took)
      found.get(kind)?.processor.push(share * 100)
      found.get(kind)?.memory.push(residentMb(pid))
    }
    const http = `${root}/http.sock`
    for (let round = 0; round < rounds; round += 1) {
      vipd.configure(off)
      await vipd.tryReload()
      await ask('HTTP off')
      vipd.configure(on)
      await vipd.tryReload()
      await delay(2_000)
      await ask('no clients')
      await withClients(http, listening, () => ask('100 clients'))
      await withClients(http, all, () => ask('110 clients'))
    }
  } finally {
    await lab.close()
  }
  const rows = [...found].map(([kind, { took, processor, memory }]) => {
    const late = summarise(took)
    const cpu = summarise(processor)
    const rss = summarise(memory)
    if (late === null || rss === null || cpu === null)
      throw new Error(`nothing was measured: ${kind}`)
    const figures = [late.p50, late.p99, late.max, cpu.p50, rss.p50]
    return [kind, String(late.n), ...figures.map((figure) => figure.toFixed(2))]
  })
  const what = ['median ms', '99 % ms', 'max ms', 'main thread CPU %', 'RSS MB']
  return tableText({ head: [`${instances} instances`, 'n', ...what], rows })
}

/** Processor time of the first thread of a process: fields 14 and 15 of its stat, in ticks of 10 ms (proc(5)). */
function mainThreadSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8')
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+) /.exec(stat) ?? []
  return (Number(user) + Number(system)) / 100
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
  },
})
process.stdout.write(
  await measure(Number(values.instances), Number(values.rounds), Number(values.seconds)),
)
