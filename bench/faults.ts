/**
 * What a fault costs: the master killed, frozen or flooded, with vipd and with keepalived by turns in one run. Each
 * cell of the table is the worst of its n trials (of the time to the new master the median, too), each trial a pair
 * in a lab of its own.
 *
 * npm run bench:faults -- [vipd|keepalived …] [--n 3] [--faults kill,freeze,…] [--seconds 5] [--rate 60000] [--family 4]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { DaemonKind } from '../src/lab/daemon.ts'
import { type FloodKind, floodKinds, startFlood } from '../src/lab/floods.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { type Figures, familyOf, readProc, Trial, trialVrid } from '../src/lab/trial.ts'

const otherFaults = ['kill', 'kill-all', 'freeze'] as const
type Fault = (typeof otherFaults)[number] | FloodKind
const usualFaults: readonly Fault[] = ['kill', 'freeze', 'invalid', 'lower', 'garbage']
const advertInt = 0.1

type Setting = {
  readonly seconds: number
  readonly rate: number
  readonly family: 4 | 6
}
type Outcome = Figures & {
  readonly daemon: DaemonKind
  readonly fault: Fault
  /** Packets each second that a flood reached. */
  readonly packetsPerSecond: number | null
}

const isFlood = (fault: Fault): fault is FloodKind => floodKinds.some((kind) => kind === fault)
const authentication = 'authentication {\n auth_type PASS\n auth_pass 1111\n }'

async function measure(daemon: DaemonKind, fault: Fault, setting: Setting): Promise<Outcome> {
  const version = fault === 'passwords' ? 2 : 3
  const more = fault === 'passwords' ? authentication : ''
  const { family } = setting
  const trial = await Trial.open({ kind: daemon, family, version, more })
  try {
    let packetsPerSecond: number | null = null
    const figures = await trial.during(async () => {
      if (isFlood(fault)) packetsPerSecond = await flood(trial, fault, version, setting)
      else await strike(trial, fault, setting)
    })
    return { daemon, fault, ...figures, packetsPerSecond }
  } finally {
    await trial.close()
  }
}

async function flood(
  trial: Trial,
  kind: FloodKind,
  version: 2 | 3,
  { seconds, rate, family }: Setting,
): Promise<number> {
  const { sources: pair, vip } = trial
  const flooding = await startFlood(trial.attacker, {
    kind,
    family,
    version,
    vrid: trialVrid,
    pair,
    vip,
    advertIntervalMs: version === 2 ? 1_000 : advertInt * 1_000,
    rate: rates[kind] ?? rate,
    link: 'eth0',
  })
  await delay(seconds * 1_000)
  // Who floods is busy, and so is this machine.
  await flooding.stop(30_000)
  return Number(/(\d+) packets/.exec(flooding.text)?.[1] ?? 0)
}

/** Coming and going a thousand times each second, and so slowly that the pair takes over in between. */
const rates: Partial<Record<FloodKind, number>> = { flapping: 2_000, intermittent: 20 }

/** `kill` and `freeze` strike the daemon and leave a warden alone, which is there for just that. */
async function strike(trial: Trial, fault: Fault, { seconds }: Setting): Promise<void> {
  const all = familyOf(await trial.daemons[0].child.pid())
  const struck = fault === 'kill-all' ? all : all.filter((pid) => !/warden/.test(nameOf(pid)))
  // nsenter(1) stops itself when what it started is stopped, and must be woken too.
  const outer = Number(/^PPid:\s*(\d+)/m.exec(readProc(all[0] ?? 0, 'status'))?.[1])
  const signal = (name: NodeJS.Signals) => {
    for (const pid of name === 'SIGCONT' ? [...struck, outer] : struck) process.kill(pid, name)
  }
  signal(fault === 'freeze' ? 'SIGSTOP' : 'SIGKILL')
  await delay(seconds * 1_000)
  if (fault !== 'freeze') return
  signal('SIGCONT')
  await delay(2_000)
}

const nameOf = (pid: number): string => readProc(pid, 'cmdline')

const columns: readonly (readonly [string, (all: readonly Outcome[]) => string])[] = [
  ['fault', (all) => all[0]?.fault ?? ''],
  ['daemon', (all) => all[0]?.daemon ?? ''],
  ['packets/s', (all) => thousands(median(all.map((o) => o.packetsPerSecond)))],
  ['two holders s', (all) => fixed(worst(all.map((o) => o.twoHoldersMs)), 1_000, 2)],
  ['no holder s', (all) => fixed(worst(all.map((o) => o.noHolderMs)), 1_000, 2)],
  ['new master ms', (all) => fixed(median(all.map((o) => o.newMasterMs)), 1, 0)],
  ['client gap ms', (all) => fixed(worst(all.map((o) => o.clientGapMs)), 1, 0)],
  ['ARP frames', (all) => fixed(worst(all.map((o) => o.announcements)), 1, 0)],
  ['adverts', (all) => fixed(worst(all.map((o) => o.adverts)), 1, 0)],
  ['take-overs', (all) => fixed(worst(all.map((o) => o.takeOvers)), 1, 0)],
  ['log lines', (all) => fixed(worst(all.map((o) => o.logLines)), 1, 0)],
  ['CPU %', (all) => fixed(worst(all.map((o) => Math.max(...o.cpu))), 0.01, 0)],
  ['RSS MB', (all) => fixed(worst(all.map((o) => Math.max(...o.residentMb))), 1, 0)],
  ['n', (all) => String(all.length)],
]

const known = (values: readonly (number | null)[]): number[] =>
  values.filter((value) => value !== null).sort((a, b) => a - b)
const worst = (values: readonly (number | null)[]): number | null => known(values).at(-1) ?? null
function median(values: readonly (number | null)[]): number | null {
  const sorted = known(values)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}
const fixed = (value: number | null, unit: number, digits: number): string =>
  value === null ? '-' : (value / unit).toFixed(digits)
const thousands = (value: number | null): string =>
  value === null ? '-' : Math.round(value).toLocaleString('en-US')

/** As Markdown, so that it goes into docs/faults.md as it is. */
const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(12) : cell.padStart(9))).join(' | ')} |\n`

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '3' },
    faults: { type: 'string', default: usualFaults.join(',') },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '60000' },
    family: { type: 'string', default: '4' },
  },
})
const daemons = (positionals.length > 0 ? positionals : ['keepalived', 'vipd']) as DaemonKind[]
const faults = values.faults.split(',') as Fault[]
const unknown = faults.filter((f) => !isFlood(f) && !otherFaults.some((other) => other === f))
if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join(', ')}`)
const setting: Setting = {
  seconds: Number(values.seconds),
  rate: Number(values.rate),
  family: values.family === '6' ? 6 : 4,
}

const outcomes: Outcome[] = []
process.stdout.write(row(columns.map(([title]) => title)))
process.stdout.write(row(columns.map((_, i) => (i < 2 ? '---' : '---:'))))
for (const fault of faults) {
  const ofFault: Outcome[] = []
  for (let round = 0; round < Number(values.n); round++)
    for (const daemon of daemons) ofFault.push(await measure(daemon, fault, setting))
  for (const daemon of daemons) {
    const ofDaemon = ofFault.filter((outcome) => outcome.daemon === daemon)
    process.stdout.write(row(columns.map(([, cell]) => cell(ofDaemon))))
  }
  outcomes.push(...ofFault)
}
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/faults.json', `${JSON.stringify({ setting, outcomes }, null, 2)}\n`)
