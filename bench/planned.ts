/**
 * What a planned hand-over costs a client: `vipd failover`, to vipd and to keepalived, beside an orderly stop of either.
 * A client asks the address all the time; the figure is the longest stretch without an answer, or with the answer of
 * another host. The kinds take turns, trial by trial, in one run.
 *
 * npm run bench:planned -- [--n 9] [--advert-int 1]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client } from '../src/lab/client.ts'
import type { DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { serveWeb, startDaemon } from '../src/lab/serving.ts'
import type { Vipd } from '../src/lab/vipd.ts'
import { nowMs } from '../src/lab/wait.ts'
import { oneInstance, vip } from './one-instance.ts'

/** A question every so many milliseconds: finer than this the figures do not go. */
const everyMs = 2
/** Shorter than TCP's first repetition (1 s), by which a question of the outage would be answered after it. */
const patienceMs = 250

type Kind = {
  readonly what: 'failover' | 'stop'
  readonly from: DaemonKind
  readonly to: DaemonKind
}
type Trial = { readonly gapMs: number; readonly tookMs: number }

const kinds: readonly Kind[] = [
  { what: 'failover', from: 'vipd', to: 'vipd' },
  { what: 'failover', from: 'vipd', to: 'keepalived' },
  { what: 'stop', from: 'vipd', to: 'vipd' },
  { what: 'stop', from: 'vipd', to: 'keepalived' },
  { what: 'stop', from: 'keepalived', to: 'keepalived' },
]

async function serving(lab: Lab, name: string, n: number): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`] } })
  await serveWeb(host)
  return host
}

async function once({ what, from, to }: Kind, advertInt: number): Promise<Trial> {
  const lab = await openLab({ name: 'planned' })
  try {
    const one = await serving(lab, 'one', 2)
    const two = await serving(lab, 'two', 3)
    const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
    const master = startDaemon(from, one, oneInstance(150, advertInt))
    const heir = startDaemon(to, two, oneInstance(100, advertInt))
    await master.reaches('VI_1', 'MASTER', 20_000)
    await heir.reaches('VI_1', 'BACKUP', 20_000)
    const client = Client.start(desk, vip, everyMs, patienceMs)
    await client.answeredBy('one', 10_000)
    const startMs = nowMs()
    if (what === 'stop') await master.stop()
    else await handOver(master as Vipd)
    const moved = await client.answeredBy('two', 30_000)
    const end = client.mark + 100
    await client.answers.next('the client goes on', 30_000, () => client.mark > end)
    const gaps = client.gaps(startMs).map((gap) => gap.lastedMs)
    return { gapMs: Math.max(0, ...gaps), tookMs: moved.askedMs - startMs }
  } finally {
    await lab.close()
  }
}

async function handOver(master: Vipd): Promise<void> {
  const { status, stdout, stderr } = await master.ask('failover', 'VI_1')
  if (status !== 0) throw new Error(`vipd failover: ${stdout}${stderr}`)
}

function row({ what, from, to }: Kind, trials: readonly Trial[]): string {
  const sorted = (of: (trial: Trial) => number) => trials.map(of).sort((a, b) => a - b)
  const gaps = sorted(({ gapMs }) => gapMs)
  const tooks = sorted(({ tookMs }) => tookMs)
  const at = (all: readonly number[], share: number) =>
    (all[Math.floor(share * (all.length - 1))] ?? Number.NaN).toFixed(1)
  const words = what === 'stop' ? `orderly stop of ${from}` : 'vipd failover'
  const cells = [at(gaps, 0), at(gaps, 0.5), at(gaps, 1), at(tooks, 0.5), String(trials.length)]
  return `| ${[words, to, ...cells].join(' | ')} |`
}

ensureNamespaces()
const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '9' },
    'advert-int': { type: 'string', default: '1' },
  },
})
const advertInt = Number(values['advert-int'])
const results = kinds.map((kind) => ({ kind, trials: [] as Trial[] }))
for (let i = 0; i < Number(values.n); i++)
  for (const { kind, trials } of results) trials.push(await once(kind, advertInt))
process.stdout.write(
  '| hand-over | peer | gap min ms | gap median ms | gap max ms | moved after, median ms | n |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n',
)
for (const { kind, trials } of results) process.stdout.write(`${row(kind, trials)}\n`)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/planned.json', `${JSON.stringify({ advertInt, results }, null, 2)}\n`)
