/**
 * What `vipd upgrade` costs: adverts, transitions, announcements and a client, over many upgrades in a row.
 *
 * npm run bench:upgrade -- pair    [--n 200] [--advert-int 0.01]   of the master and of the backup, beside vipd and keepalived
 * npm run bench:upgrade -- killed  [--n 100] [--advert-int 0.1]    the new process killed at random instants
 * npm run bench:upgrade -- many    [--n 5] [--instances 1000]      with many instances
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Capture } from '../src/lab/capture.ts'
import { Client } from '../src/lab/client.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { serveWeb, startDaemon } from '../src/lab/serving.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { nowMs, until } from '../src/lab/wait.ts'
import { held, hostOn, manyInstances, startLogging } from './many-instances.ts'
import { oneInstance, vip } from './one-instance.ts'

const soonMs = 60_000
/** A question of the client every so many milliseconds. */
const everyMs = 2
const patienceMs = 250

type Role = 'master' | 'backup'
type Row = Readonly<Record<string, string | number>>

const median = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? Number.NaN

async function upgraded(daemon: Vipd): Promise<number> {
  const beganMs = nowMs()
  const { status, stdout, stderr } = await daemon.ask('upgrade', '--leave-parent')
  if (status !== 0)
    throw new Error(`vipd upgrade: ${status}: ${stdout}${stderr}${daemon.child.text.slice(-4_000)}`)
  return nowMs() - beganMs
}

/** The longest silence of that sender, and what a transition would have left on the wire. */
function onTheWire(capture: Capture, from: number, sender: string) {
  const frames = capture.frames.items.slice(from)
  const adverts = frames.filter((it) => it.kind === 'vrrp')
  const times = adverts.filter((it) => it.from === sender).map(({ atMs }) => atMs)
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at))
  return {
    adverts: times.length,
    longestGapMs: Math.max(...gaps),
    resignations: adverts.filter((it) => it.priority === 0).length,
    ofOthers: adverts.length - times.length,
    announcements: frames.filter((it) => it.kind === 'arp' && it.gratuitous).length,
  }
}

const quiet = 'vrrp_garp_master_delay 0'

async function pair(role: Role, peer: DaemonKind, n: number, advertInt: number): Promise<Row> {
  const lab = await openLab({ name: 'upgrade' })
  try {
    const [one, two, desk] = await Promise.all(
      (['one', 'two', 'desk'] as const).map((name, i) =>
        lab.host(name, { addresses: { eth0: [`172.16.80.${i + 1}/24`] } }),
      ),
    )
    if (one === undefined || two === undefined || desk === undefined) throw new Error('no hosts')
    await Promise.all([serveWeb(one), serveWeb(two)])
    const of = (priority: number) =>
      `global_defs {\n${quiet}\n}\n${oneInstance(priority, advertInt)}`
    const subject = startVipd(one, of(role === 'master' ? 150 : 100))
    const other = startDaemon(peer, two, of(role === 'master' ? 100 : 150))
    const [master, backup]: [Daemon, Daemon] =
      role === 'master' ? [subject, other] : [other, subject]
    await master.reaches('VI_1', 'MASTER', soonMs)
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    const client = Client.start(desk, vip, everyMs, patienceMs)
    await client.answeredBy(master.host.name, soonMs)
    const capture = await lab.capture()
    const beganMs = nowMs()
    const mark = capture.mark
    const transitions = () => subject.transitions.items.length + other.transitions.items.length
    const before = transitions()
    const took: number[] = []
    for (let i = 0; i < n; i++) took.push(await upgraded(subject))
    const gaps = client.gaps(beganMs).map(({ lastedMs }) => lastedMs)
    const wire = onTheWire(capture, mark, `172.16.80.${role === 'master' ? 1 : 2}`)
    return {
      ...{ role, peer, advertInt, n },
      ...wire,
      transitions: transitions() - before,
      clientGapMs: Math.max(0, ...gaps),
      tookMedianMs: median(took),
      tookMostMs: Math.max(...took),
    }
  } finally {
    await lab.close()
  }
}

/** Processes of vipd in the host: those that run Node.js, but for the commands that ask. */
const killOther = (old: string, afterS: number): string => `
sleep ${afterS.toFixed(4)}
for p in /proc/[0-9]*; do
  pid=\${p#/proc/}
  [ "$pid" != ${old} ] || continue
  readlink $p/exe 2> /dev/null | grep -q node || continue
  tr '\\0' ' ' < $p/cmdline | grep -Eq 'upgrade|status|httpd|asker' && continue
  kill -KILL $pid && echo killed
done`

const daemonOf = async (host: Host): Promise<string> => {
  const { stdout } = await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd'])
  return stdout.trim().split('\n')[0] ?? ''
}

async function killed(n: number, advertInt: number): Promise<Row> {
  const lab = await openLab({ name: 'killed' })
  try {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['172.16.80.2/24'] } })
    const of = (priority: number) =>
      `global_defs {\n${quiet}\n}\n${oneInstance(priority, advertInt)}`
    let subject = startVipd(one, of(150))
    await subject.reaches('VI_1', 'MASTER', soonMs)
    const other = startVipd(two, of(100))
    await other.reaches('VI_1', 'BACKUP', soonMs)
    const usualMs = await upgraded(subject)
    const counts = { wentOn: 0, warden: 0, tooLate: 0, wrong: 0 }
    let longestGapMs = 0
    const capture = await lab.capture()
    for (let i = 0; i < n; i++) {
      const old = await daemonOf(one)
      const mark = capture.mark
      const peers = other.transitions.items.length
      const kill = one.run('sh', ['-c', killOther(old, (Math.random() * 1.2 * usualMs) / 1000)])
      const asked = await subject.ask('upgrade', '--leave-parent')
      const hit = (await kill).stdout.includes('killed')
      await capture.advert('goes on', soonMs, (it) => it.priority > 0, capture.mark)
      const now = await daemonOf(one)
      if (now === old) {
        counts.wentOn += 1
        const moved = other.transitions.items.length !== peers || asked.status === 0
        if (moved) counts.wrong += 1
        longestGapMs = Math.max(longestGapMs, onTheWire(capture, mark, '172.16.80.1').longestGapMs)
      } else if (!hit || now !== '') counts.tooLate += 1
      else {
        counts.warden += 1
        await other.reaches('VI_1', 'MASTER', soonMs)
        if (await one.holds(vip)) counts.wrong += 1
        subject = startVipd(one, of(150))
        await subject.reaches('VI_1', 'MASTER', soonMs)
        await until('the peer is backup', soonMs, () => other.state('VI_1') === 'BACKUP')
      }
    }
    return { advertInt, n, ...counts, longestGapMs, usualMs }
  } finally {
    await lab.close()
  }
}

async function many(n: number, instances: number): Promise<Row> {
  const lab: Lab = await openLab({ name: 'many' })
  try {
    const size = { instances, addresses: 1, advertInt: 1 }
    const one = await hostOn(lab, 'one', 1, size)
    const two = await hostOn(lab, 'two', 2, size)
    const subject = startLogging('vipd', one, manyInstances(150, size)) as Vipd
    await until('it has all', 2 * soonMs, async () => (await held(one)) === instances)
    const other = startLogging('vipd', two, manyInstances(100, size))
    await until('the peer follows', 2 * soonMs, async () => {
      const { instances: all } = await (other as Vipd).status()
      return all.length === instances && all.every(({ state }) => state === 'BACKUP')
    })
    // The announcements five seconds after the take-over are over.
    const capture = await lab.capture()
    await capture.advert('the last is sent', soonMs, (it) => it.vrid === 1, capture.mark)
    const before = subject.transitions.items.length + other.transitions.items.length
    const mark = capture.mark
    const took: number[] = []
    for (let i = 0; i < n; i++) took.push(await upgraded(subject))
    const vrids = new Map<number, number[]>()
    for (const it of capture.adverts((advert) => advert.from === '172.16.80.1', mark))
      vrids.set(it.vrid, [...(vrids.get(it.vrid) ?? []), it.atMs])
    const gaps = [...vrids.values()].flatMap((at) => at.slice(1).map((t, i) => t - (at[i] ?? t)))
    const { instances: all } = await (other as Vipd).status()
    return {
      ...{ instances, n },
      transitions: subject.transitions.items.length + other.transitions.items.length - before,
      backups: all.filter(({ state }) => state === 'BACKUP').length,
      longestGapMs: Math.max(...gaps),
      announcements: onTheWire(capture, mark, '172.16.80.1').announcements,
      tookMedianMs: median(took),
      tookMostMs: Math.max(...took),
    }
  } finally {
    await lab.close()
  }
}

function table(rows: readonly Row[]): string {
  const [first] = rows
  if (first === undefined) return ''
  const columns = Object.keys(first)
  const cell = (value: string | number | undefined): string =>
    typeof value === 'number' ? String(Math.round(value * 100) / 100) : (value ?? '')
  const lines = rows.map((row) => `| ${columns.map((key) => cell(row[key])).join(' | ')} |`)
  return [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...lines, ''].join(
    '\n',
  )
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string' },
    'advert-int': { type: 'string' },
    instances: { type: 'string', default: '1000' },
  },
})
const [what = 'pair'] = positionals
const number = (usual: number) => Number(values.n ?? usual)
const interval = (usual: number) => Number(values['advert-int'] ?? usual)
const rows: Row[] = []
if (what === 'killed') rows.push(await killed(number(100), interval(0.1)))
else if (what === 'many') rows.push(await many(number(5), Number(values.instances)))
else
  for (const role of ['master', 'backup'] as const)
    for (const peer of ['vipd', 'keepalived'] as const)
      rows.push(await pair(role, peer, number(200), interval(0.01)))
process.stdout.write(table(rows))
mkdirSync('bench/results', { recursive: true })
writeFileSync(`bench/results/upgrade-${what}.json`, `${JSON.stringify(rows, null, 2)}\n`)
