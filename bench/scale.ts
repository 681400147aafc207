/**
 * A pair with many virtual routers: until all are master, what both hosts cost at rest, and, after the master is cut off,
 * how long past its own deadline each instance says its first advert and each address its first ARP. vipd and keepalived
 * by turns in one run.
 *
 * npm run bench:scale -- [vipd|keepalived …] [--instances 1,200,1000] [--addresses 1] [--advert-int 0.1] [--seconds 10]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Capture, Frame } from '../src/lab/capture.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { cpuSeconds, residentMb } from '../src/lab/trial.ts'
import { nowMs, until } from '../src/lab/wait.ts'
import {
  held,
  hostOn,
  linkOf,
  linksOf,
  manyInstances,
  type Size,
  segment,
  startLogging,
  vipOf,
  vridOf,
} from './many-instances.ts'

const priorities = { better: 150, heir: 100 }
/** Beyond this after the cut a bench has failed, and says so. */
const healedWithinMs = 60_000

type Case = Size & { readonly daemon: DaemonKind }
type Figures = Case & {
  readonly allMasterMs: number
  /** Share of one processor at rest: master, backup. */
  readonly cpu: readonly [number, number]
  readonly residentMb: readonly [number, number]
  /** Past the deadline, sorted, milliseconds. */
  readonly firstAdvertMs: readonly number[]
  /** The first ARP of each address, counted from its instance's deadline. */
  readonly healedMs: readonly number[]
}

async function measure(wanted: Case, seconds: number): Promise<Figures> {
  const lab = await openLab({ name: 'scale' })
  try {
    const one = await hostOn(lab, 'one', 2, wanted)
    const two = await hostOn(lab, 'two', 3, wanted)
    const startMs = nowMs()
    const better = startLogging(wanted.daemon, one, manyInstances(priorities.better, wanted))
    const total = wanted.instances * wanted.addresses
    await until('all addresses are there', 120_000, async () => (await held(one)) === total, 50)
    const allMasterMs = nowMs() - startMs
    const heir = startLogging(wanted.daemon, two, manyInstances(priorities.heir, wanted))
    // As long as the first one took, and what becomes of it.
    await delay(allMasterMs + 5_000)
    if ((await held(two)) > 0) throw new Error('the heir did not stay backup')
    const rest = await atRest([better, heir], seconds)
    return { ...wanted, allMasterMs, ...rest, ...(await afterCut(lab, one, wanted)) }
  } finally {
    await lab.close()
  }
}

async function atRest(
  daemons: readonly [Daemon, Daemon],
  seconds: number,
): Promise<Pick<Figures, 'cpu' | 'residentMb'>> {
  const [first, second] = await Promise.all([daemons[0].child.pid(), daemons[1].child.pid()])
  const before = [cpuSeconds(first), cpuSeconds(second)] as const
  const fromMs = nowMs()
  await delay(seconds * 1_000)
  const spent = (nowMs() - fromMs) / 1_000
  const cpu = [
    (cpuSeconds(first) - before[0]) / spent,
    (cpuSeconds(second) - before[1]) / spent,
  ] as const
  return { cpu, residentMb: [residentMb(first), residentMb(second)] }
}

async function afterCut(
  lab: Lab,
  host: Host,
  wanted: Case,
): Promise<Pick<Figures, 'firstAdvertMs' | 'healedMs'>> {
  const segments = Array.from({ length: linksOf(wanted) }, (_, i) => segment(i))
  const captures: Capture[] = []
  for (const name of segments)
    captures.push(await lab.capture({ segment: name, filter: 'ip proto 112 or arp' }))
  // Three adverts of every master, so that the last one before the cut is known.
  await delay(wanted.advertInt * 3_000)
  await Promise.all(segments.map((name) => lab.cut(host, name)))
  const instances = Array.from({ length: wanted.instances }, (_, i) => i)
  const complete = () => {
    const seen = captures.map((capture) => heard(capture.frames.items))
    const found = instances.map((i) => past(i, seen[linkOf(i)], wanted))
    return found.every((f) => f !== null) ? found : null
  }
  const found = await until('every address is announced', healedWithinMs, complete, 500)
  const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b)
  return {
    firstAdvertMs: sorted(found.map(({ advertMs }) => advertMs)),
    healedMs: sorted(found.flatMap(({ arpMs }) => arpMs)),
  }
}

/** What one segment's frames say: the better one's last adverts, the heir's first, and the first ARP after those. */
type Heard = {
  readonly last: ReadonlyMap<number, number>
  readonly first: ReadonlyMap<number, number>
  readonly arp: ReadonlyMap<string, number>
}

function heard(frames: readonly Frame[]): Heard {
  const last = new Map<number, number>()
  const first = new Map<number, number>()
  const arp = new Map<string, number>()
  for (const frame of frames) {
    if (frame.kind === 'vrrp' && frame.priority === priorities.better)
      last.set(frame.vrid, frame.atMs)
    else if (frame.kind === 'vrrp' && !first.has(frame.vrid)) first.set(frame.vrid, frame.atMs)
    else if (frame.kind === 'arp' && frame.gratuitous && first.size > 0 && !arp.has(frame.target))
      arp.set(frame.target, frame.atMs)
  }
  return { last, first, arp }
}

/** null: not all of it has been seen yet. */
function past(
  instance: number,
  seen: Heard | undefined,
  wanted: Case,
): { readonly advertMs: number; readonly arpMs: readonly number[] } | null {
  const last = seen?.last.get(vridOf(instance))
  const first = seen?.first.get(vridOf(instance))
  if (seen === undefined || last === undefined || first === undefined) return null
  const dueMs = last + wanted.advertInt * 1_000 * (3 + (256 - priorities.heir) / 256)
  const vips = Array.from({ length: wanted.addresses }, (_, a) => vipOf(instance, a, wanted))
  const arps = vips.map((vip) => seen.arp.get(vip))
  if (arps.some((at) => at === undefined)) return null
  return { advertMs: first - dueMs, arpMs: arps.map((at) => (at ?? 0) - dueMs) }
}

function row(f: Figures): string {
  const at = (values: readonly number[], share: number) =>
    (values[Math.ceil(share * values.length) - 1] ?? values[0] ?? Number.NaN).toFixed(1)
  const cells = [
    f.daemon,
    f.instances,
    f.addresses,
    f.allMasterMs.toFixed(0),
    f.cpu.map((share) => (100 * share).toFixed(1)).join(' / '),
    f.residentMb.map((mb) => mb.toFixed(0)).join(' / '),
    at(f.firstAdvertMs, 0.5),
    at(f.firstAdvertMs, 0.99),
    at(f.healedMs, 1),
  ]
  return `| ${cells.join(' | ')} |`
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    instances: { type: 'string', default: '1,200,1000' },
    addresses: { type: 'string', default: '1' },
    'advert-int': { type: 'string', default: '0.1' },
    seconds: { type: 'string', default: '10' },
  },
})
const kinds = (positionals.length > 0 ? positionals : ['vipd', 'keepalived']) as DaemonKind[]
const numbers = (text: string): number[] => text.split(',').map(Number)
process.stdout.write(
  '| daemon | instances | addresses each | all master ms | CPU % at rest, master / backup | RSS MB, master / backup | first advert p50 ms | p99 ms | last address healed ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n',
)
const results: Figures[] = []
for (const instances of numbers(values.instances))
  for (const addresses of numbers(values.addresses))
    for (const daemon of kinds) {
      const wanted = { daemon, instances, addresses, advertInt: Number(values['advert-int']) }
      const figures = await measure(wanted, Number(values.seconds))
      process.stdout.write(`${row(figures)}\n`)
      results.push(figures)
    }
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/scale.json', `${JSON.stringify(results, null, 2)}\n`)
