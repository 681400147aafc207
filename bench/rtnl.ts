/**
 * No false take-over while the kernel's rtnl lock is contended: in another namespace interfaces are made and deleted by the
 * hundred, as a container host does, and every request that sets or renews an address waits for its turn. A pair each of
 * vipd with short and without lifetimes of addresses and of keepalived, one trial after the other. A false take-over is a
 * reign of the backup while the master is connected and alive; the silence is the longest pause between two adverts
 * of the master.
 *
 * npm run bench:rtnl -- [--n 5] [--seconds 8] [--advert-int 0.02,0.1] [--out bench/results/rtnl.json]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Capture } from '../src/lab/capture.ts'
import type { DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { until } from '../src/lab/wait.ts'
import { startLogging } from './many-instances.ts'

const vip = '172.16.80.100'
const master = { address: '172.16.80.2', priority: 150 }
const backup = { address: '172.16.80.3', priority: 100 }
const pairs = 200
const soonMs = 30_000

type Case = { readonly what: string; readonly daemon: DaemonKind; readonly globals: string }
type Trial = { readonly takeOvers: number; readonly silenceMs: number }
type Row = Case & { readonly advertInt: number; readonly trials: Trial[] }

const cases: readonly Case[] = [
  { what: 'vipd, lifetime 3 s', daemon: 'vipd', globals: 'vipd_address_lifetime 3' },
  { what: 'vipd, no lifetime', daemon: 'vipd', globals: 'vipd_address_lifetime 0' },
  { what: 'keepalived', daemon: 'keepalived', globals: '' },
]

const configuration = (
  globals: string,
  priority: number,
  advertInt: number,
): string => `global_defs {
  ${globals}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int ${advertInt}
  virtual_ipaddress {
    ${vip}/32
  }
}
`

/** Each turn takes some hundred milliseconds, most of it under the lock. */
function contend(host: Host): void {
  const lines = Array.from({ length: pairs }, (_, i) => {
    const more = 'group 7'
    return `link add name x${i} ${more} type veth peer name y${i} ${more}`
  })
  const file = host.write('/tmp/pairs', `${lines.join('\n')}\n`)
  const loop = `for i in $(seq 1000); do ip -batch ${file}; ip link del group 7; done`
  host.spawn('sh', ['-c', loop], { name: 'contention' })
}

function judge(capture: Capture, mark: number, advertInt: number): Trial {
  let takeOvers = 0
  let silenceMs = 0
  let backupAtMs = 0
  let masterAtMs: number | null = null
  for (const { from, priority, atMs } of capture.adverts((a) => a.priority > 0, mark)) {
    if (from === backup.address && priority === backup.priority) {
      if (atMs - backupAtMs > 3_000 * advertInt) takeOvers += 1
      backupAtMs = atMs
    } else if (from === master.address) {
      if (masterAtMs !== null) silenceMs = Math.max(silenceMs, atMs - masterAtMs)
      masterAtMs = atMs
    }
  }
  return { takeOvers, silenceMs }
}

async function trial(of: Case, advertInt: number, seconds: number): Promise<Trial> {
  const lab = await openLab({ name: 'rtnl' })
  try {
    const one = await lab.host('one', { addresses: { eth0: [`${master.address}/24`] } })
    const two = await lab.host('two', { addresses: { eth0: [`${backup.address}/24`] } })
    const busy = await lab.host('busy', { addresses: { eth0: ['172.16.80.4/24'] } })
    startLogging(of.daemon, one, configuration(of.globals, master.priority, advertInt))
    await until('the master holds the address', soonMs, () => one.holds(vip))
    startLogging(of.daemon, two, configuration(of.globals, backup.priority, advertInt))
    await delay(2_000)
    const capture = await lab.capture({ filter: 'ip proto 112' })
    contend(busy)
    await delay(500)
    const mark = capture.mark
    await delay(seconds * 1_000)
    return judge(capture, mark, advertInt)
  } finally {
    await lab.close()
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

function table(rows: readonly Row[], seconds: number): string {
  const lines = rows.map(({ what, advertInt, trials }) => {
    const takeOvers = trials.map((t) => t.takeOvers)
    const silences = trials.map((t) => t.silenceMs)
    const sum = takeOvers.reduce((a, b) => a + b, 0)
    const cells = [what, advertInt, trials.length, sum, Math.max(...takeOvers)]
    const ms = [median(silences), Math.max(...silences)].map((each) => each.toFixed(1))
    return `| ${[...cells, ...ms].join(' | ')} |`
  })
  return `${[
    `| daemon | advert_int | n of ${seconds} s | false take-overs | most in one | silence p50 (ms) | max |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')}\n`
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '8' },
    'advert-int': { type: 'string', default: '0.02,0.1' },
    out: { type: 'string', default: 'bench/results/rtnl.json' },
  },
})
const seconds = Number(values.seconds)
const intervals = values['advert-int'].split(',').map(Number)
const rows = intervals.flatMap((advertInt) =>
  cases.map((each): Row => ({ ...each, advertInt, trials: [] })),
)
for (let i = 1; i <= Number(values.n); i++)
  for (const row of rows) {
    row.trials.push(await trial(row, row.advertInt, seconds))
    process.stderr.write(`${row.what}, advert_int ${row.advertInt}: ${i} of ${values.n}\n`)
  }
process.stdout.write(table(rows, seconds))
mkdirSync(dirname(values.out), { recursive: true })
writeFileSync(values.out, `${JSON.stringify({ seconds, rows }, null, 2)}\n`)
