/**
 * What SNMP costs with many instances: how long the deciding thread takes to answer a ping on its control socket without
 * SNMP, with it and nothing that asks, and while all three MIBs are walked again and again; memory; how long a walk takes.
 * By turns in one run.
 *
 * npm run bench:snmp -- [--instances 1000] [--rounds 5] [--seconds 8]
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { residentMb } from '../src/lab/trial.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { agentSocket, bulkWalk, mibs, startSnmpd } from '../test/snmp/net-snmp.ts'
import { pings } from './control-pings.ts'
import { held, hostOn, manyInstances } from './many-instances.ts'

type Kind = 'SNMP off' | 'nothing asks' | 'walked'
type Samples = Record<Kind, number[]>

const none = (): Samples => ({ 'SNMP off': [], 'nothing asks': [], walked: [] })

type Walks = { readonly seconds: number[]; objects: number }

/** All three MIBs, one after the other, until it is over; each such turn is noted. */
async function walking(host: Host, walks: Walks, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const began = performance.now()
    let objects = 0
    for (const subtree of Object.values(mibs)) objects += (await bulkWalk(host, subtree)).size
    walks.seconds.push((performance.now() - began) / 1_000)
    walks.objects = objects
  }
}

async function withWalks<T>(host: Host, walks: Walks, act: () => Promise<T>): Promise<T> {
  let over = false
  const walker = walking(host, walks, () => over)
  const found = await act()
  over = true
  await walker
  return found
}

async function reloaded(vipd: Vipd, config: string): Promise<void> {
  vipd.configure(config)
  const { status, text } = await vipd.tryReload()
  if (status !== 0) throw new Error(`the reload is refused: ${text}`)
}

function report(instances: number, late: Samples, memory: Samples, walks: Walks): string {
  const rows = (Object.keys(late) as Kind[]).map((kind) => {
    const took = summarise(late[kind])
    const rss = summarise(memory[kind])
    if (took === null || rss === null) throw new Error(`nothing was measured: ${kind}`)
    const figures = [took.p50, took.p99, took.max, rss.p50, rss.max]
    return [kind, String(took.n), ...figures.map((figure) => figure.toFixed(2))]
  })
  const head = ['n', 'median ms', '99 % ms', 'max ms', 'RSS MB', 'max MB']
  const walk = summarise(walks.seconds)
  if (walk === null) throw new Error('nothing was walked')
  const seconds = `median ${walk.p50.toFixed(2)} s, max ${walk.max.toFixed(2)} s`
  return `${tableText({ head: [`${instances} instances`, ...head], rows })}
${walk.n} walks of ${walks.objects} objects: ${seconds}
`
}

async function measure(instances: number, rounds: number, seconds: number): Promise<string> {
  const size = { instances, addresses: 1, advertInt: 1 }
  const lab = await openLab({ name: 'snmp' })
  const [late, memory] = [none(), none()]
  const walks: Walks = { seconds: [], objects: 0 }
  try {
    const host = await hostOn(lab, 'one', 2, size)
    const off = manyInstances(150, size)
    const on = `global_defs {
  enable_snmp_vrrp
  enable_snmp_rfc
  enable_traps
  snmp_socket unix:${agentSocket}
}
${off}`
    await startSnmpd(host)
    const vipd = startVipd(host, off)
    await until('all addresses are there', 120_000, async () => (await held(host)) === instances)
    const control = () => pings(`/proc/${host.pid}/root/run/lab/vipd/vipd.sock`, seconds)
    const note = async (kind: Kind, act: () => Promise<number[]>) => {
      late[kind].push(...(await act()))
      memory[kind].push(residentMb(await vipd.child.pid()))
    }
    for (let round = 0; round < rounds; round += 1) {
      await reloaded(vipd, off)
      await delay(2_000)
      await note('SNMP off', control)
      await reloaded(vipd, on)
      await delay(2_000)
      await note('nothing asks', control)
      await note('walked', () => withWalks(host, walks, control))
    }
  } finally {
    await lab.close()
  }
  return report(instances, late, memory, walks)
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
