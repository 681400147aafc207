/**
 * The same thing thousands of times, watching what must not grow: memory, descriptors, processes, addresses.
 *
 *   elections  one link fails and comes back by turns (nopreempt), advert_int 0.01: each time the other host leads
 *   reloads    the master reloads while its adverts flow at 0.01: the peer misses none and nothing moves
 *   checks     a script and a probe, every 10 ms each
 *   steady     nothing happens for so many seconds, adverts at 0.01: no take-over, memory as Node has it by default
 *
 * npm run soak -- [elections reloads checks steady] [--elections 100] [--reloads 50] [--checks 2000] [--steady 30]
 */
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Daemon } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { familyOf, readProc } from '../src/lab/trial.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { nowMs, until } from '../src/lab/wait.ts'

const vip = '172.16.80.100'

const config = (priority: number, more = '', before = ''): string => `global_defs {
  script_user root
}
${before}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 0.01
  virtual_ipaddress {
    ${vip}/24
  }
  ${more}
}
`

/** A small heap: what is not collected yet must not look like a leak. */
const smallHeap = ['env', 'NODE_OPTIONS=--max-old-space-size=24 --max-semi-space-size=1']
const startSmall = (host: Host, text: string): Vipd => startVipd(host, text, 'vipd', smallHeap)

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** What must not grow. */
type Use = { readonly rssMb: number; readonly fds: number; readonly processes: number }

/** The least of a few looks: what a running check holds open at the moment does not count. */
async function useOf(daemon: Daemon): Promise<Use> {
  const looks: Use[] = []
  for (let i = 0; i < 10; i++) {
    looks.push(await lookAt(daemon))
    await delay(7)
  }
  const least = (of: (use: Use) => number): number => Math.min(...looks.map(of))
  return {
    rssMb: least((u) => u.rssMb),
    fds: least((u) => u.fds),
    processes: least((u) => u.processes),
  }
}

async function lookAt({ child }: Daemon): Promise<Use> {
  const pid = (await child.pid()) ?? 0
  const kb = /^VmRSS:\s*(\d+)/m.exec(readProc(pid, 'status'))?.[1]
  const processes = familyOf(pid).length
  return { rssMb: Number(kb) / 1_024, fds: readdirSync(`/proc/${pid}/fd`).length, processes }
}

const tell = ({ rssMb, fds, processes }: Use): string =>
  `${rssMb.toFixed(1)} MB, ${fds} descriptors, ${processes} processes`

/** Settled means: a tenth of the way, when caches and pools have their size. */
function expectLevel(what: string, settled: Use, end: Use): void {
  say(`${what}: after a tenth ${tell(settled)}; at the end ${tell(end)}`)
  const grew = end.rssMb - settled.rssMb
  if (grew > 15) throw new Error(`${what}: memory grew by ${grew.toFixed(1)} MB`)
  if (end.fds > settled.fds + 2) throw new Error(`${what}: descriptors grew`)
  if (end.processes > settled.processes + 2) throw new Error(`${what}: processes are left behind`)
}

type Start = (host: Host, text: string) => Vipd

async function pair(
  lab: Lab,
  priorities: readonly [number, number],
  more = '',
  launch: Start = startSmall,
) {
  const host = (name: string, n: number) =>
    lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`] } })
  const hosts = [await host('one', 2), await host('two', 3)] as const
  const master = launch(hosts[0], config(priorities[0], more))
  await master.reaches('VI_1', 'MASTER', 10_000)
  const backup = launch(hosts[1], config(priorities[1], more))
  await backup.reaches('VI_1', 'BACKUP', 10_000)
  return { hosts, daemons: [master, backup] as const }
}

async function elections(lab: Lab, count: number): Promise<void> {
  const { hosts, daemons } = await pair(lab, [150, 140], 'nopreempt')
  let settled: readonly Use[] = []
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    if (i % 1_000 === 999) say(`${i + 1} elections`)
    const [from, to] = i % 2 === 0 ? [0, 1] : [1, 0]
    if (i === Math.floor(count / 10)) settled = await Promise.all(daemons.map(useOf))
    const startMs = nowMs()
    await lab.unplug(hosts[from] as Host)
    await daemons[to]?.reaches('VI_1', 'MASTER', 5_000)
    times.push(nowMs() - startMs)
    await daemons[from]?.reaches('VI_1', 'FAULT', 5_000)
    await lab.plug(hosts[from] as Host)
    await daemons[from]?.reaches('VI_1', 'BACKUP', 5_000)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]?.toFixed(0)
  say(`${count} elections: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`)
  for (const [i, daemon] of daemons.entries())
    expectLevel(`host ${i + 1}`, settled[i] ?? (await useOf(daemon)), await useOf(daemon))
  const held = await Promise.all(hosts.map((host) => host.holds(vip)))
  if (held.filter(Boolean).length !== 1) throw new Error(`held by ${held}`)
  await leaveNothing(hosts, daemons)
}

async function reloads(lab: Lab, count: number): Promise<void> {
  const { hosts, daemons } = await pair(lab, [150, 140])
  const [master, backup] = daemons
  const capture = await lab.capture({ filter: 'ip proto 112' })
  await capture.advert('the master', 5_000, () => true)
  await backup.status()
  const before = [master, backup].map((d) => d.transitions.items.length)
  const mark = capture.mark
  let settled = await useOf(master)
  for (let i = 0; i < count; i++) {
    const line = master.child.mark
    if (i === Math.floor(count / 10)) settled = await useOf(master)
    // Every other time something changes that must not disturb the adverts.
    master.configure(config(150, i % 2 === 0 ? 'garp_master_refresh 60' : ''))
    await master.reload()
    await master.child.line(/Reload(ed|ing)|rejected/, 10_000, line)
  }
  await delay(200)
  const times = capture.adverts(() => true, mark).map((advert) => advert.atMs)
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at))
  const { instances } = (await backup.status()) as BackupStatus
  const missed = instances[0]?.adverts.longestGapMs ?? Number.NaN
  say(
    `${count} reloads, ${times.length} adverts: longest gap on the wire ${Math.max(...gaps).toFixed(1)} ms, at the peer ${missed.toFixed(1)} ms`,
  )
  const moved = [master, backup].map((d, i) => d.transitions.items.length - (before[i] ?? 0))
  if (moved.some((n) => n > 0)) throw new Error(`transitions: ${moved}`)
  expectLevel('the master', settled, await useOf(master))
  await leaveNothing(hosts, daemons)
}

type BackupStatus = Awaited<ReturnType<Vipd['status']>> & {
  readonly instances: readonly { readonly adverts: { readonly longestGapMs: number } }[]
}
type CheckStatus = { readonly checks: readonly { readonly runs?: number }[] }

async function checks(lab: Lab, count: number): Promise<void> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const script = (name: string, command: string) =>
    `vrrp_script ${name} {\n script "${command}"\n interval 0.01\n timeout 2\n }\n`
  const before = `${script('command', '/bin/true')}${script('probe', 'killall -0 node')}`
  const text = config(150, 'track_script {\n command\n probe\n }', before)
  const daemon = startSmall(host, text)
  await daemon.reaches('VI_1', 'MASTER', 10_000)
  const startMs = nowMs()
  const done = async () => {
    const status = (await daemon.status()) as unknown as CheckStatus
    return status.checks.reduce((sum, check) => sum + (check.runs ?? 0), 0)
  }
  const reach = (n: number) => until(`${n} checks`, 3_600_000, async () => (await done()) >= n, 500)
  await reach(count / 10)
  const settled = await useOf(daemon)
  await reach(count)
  const seconds = (nowMs() - startMs) / 1_000
  say(`${await done()} checks in ${seconds.toFixed(0)} s`)
  expectLevel('the host', settled, await useOf(daemon))
  if (daemon.state('VI_1') !== 'MASTER') throw new Error(`state ${daemon.state('VI_1')}`)
  await leaveNothing([host], [daemon])
}

/** Memory and descriptors a minute at a time; read from /proc, so that looking disturbs nothing. */
async function steady(lab: Lab, seconds: number): Promise<void> {
  const { hosts, daemons } = await pair(lab, [150, 140], '', startVipd)
  const transitions = () => daemons.map((d) => d.transitions.items.length)
  const before = transitions()
  const endMs = nowMs() + seconds * 1_000
  const everyMs = Math.min(60_000, (seconds * 1_000) / 10)
  const uses: (readonly Use[])[] = []
  while (nowMs() < endMs) {
    await delay(Math.min(everyMs, Math.max(endMs - nowMs(), 0)))
    uses.push(await Promise.all(daemons.map(useOf)))
  }
  for (const [i, { child }] of daemons.entries()) {
    const course = uses.map((all) => all[i]?.rssMb.toFixed(0)).join(' ')
    say(`${child.name} of host ${i + 1}: ${course} MB`)
  }
  const moved = transitions().map((n, i) => n - (before[i] ?? 0))
  say(`${seconds} s: ${moved.join(' and ')} transitions`)
  const settled = uses[Math.floor(uses.length / 10)] ?? []
  const end = uses.at(-1) ?? []
  for (const i of daemons.keys()) expectLevel(`host ${i + 1}`, settled[i] as Use, end[i] as Use)
  await leaveNothing(hosts, daemons)
  if (moved.some((n) => n > 0)) throw new Error(`transitions: ${moved}`)
}

/** An orderly end: no address, and no process but the lab's own. */
async function leaveNothing(hosts: readonly Host[], daemons: readonly Daemon[]): Promise<void> {
  await Promise.all(daemons.map((daemon) => daemon.stop()))
  for (const host of hosts) {
    if (await host.holds(vip)) throw new Error(`${host.name} still holds ${vip}`)
    const left = await host.must('ps', ['-e', '-o', 'comm='])
    const orphans = left.split('\n').filter((name) => /vipd|node|true|sh$/.test(name.trim()))
    if (orphans.length > 0) throw new Error(`${host.name} still runs ${orphans.join(', ')}`)
  }
  say('stopped: no address and no process left')
}

/** What the hosts and their daemons say when a soak has failed. */
async function explain(lab: Lab): Promise<void> {
  for (const host of lab.hosts) {
    say(`--- ${host.name}\n${await host.must('ip', ['-o', 'link', 'show'])}`)
    const daemon = host.children.find((child) => child.name.startsWith('vipd'))
    for (const { text } of daemon?.output.items.slice(-8) ?? []) say(text.slice(0, 300))
  }
}

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    elections: { type: 'string', default: '100' },
    reloads: { type: 'string', default: '50' },
    checks: { type: 'string', default: '2000' },
    steady: { type: 'string', default: '30' },
  },
})
const soaks = { elections, reloads, checks, steady } as const
for (const [name, soak] of Object.entries(soaks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  say(`--- ${name}`)
  const lab = await openLab({ name: 'soak' })
  try {
    await soak(lab, Number(values[name as keyof typeof soaks]))
  } catch (error) {
    await explain(lab)
    throw error
  } finally {
    await lab.close()
  }
}
