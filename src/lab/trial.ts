/**
 * A pair under trial: master, backup, a client of the service and a host that disturbs it, and what the
 * disturbance costs in figures. The same for vipd and keepalived, so that the one measures the other.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Capture } from './capture.ts'
import { Client } from './client.ts'
import type { Daemon, DaemonKind } from './daemon.ts'
import type { Host } from './host.ts'
import { type Lab, openLab } from './lab.ts'
import { serveWeb, startDaemon } from './serving.ts'
import { nowMs, until } from './wait.ts'

export type TrialOptions = {
  readonly kind: DaemonKind
  readonly family?: 4 | 6
  readonly version?: 2 | 3
  /** Seconds. */
  readonly advertInt?: number
  /** More lines inside the vrrp_instance. */
  readonly more?: string
  /** Lines of global_defs. */
  readonly globals?: string
}

export type Figures = {
  readonly twoHoldersMs: number
  readonly noHolderMs: number
  /** From the fault to the address being on the other host; null when it stayed where it was. */
  readonly newMasterMs: number | null
  readonly clientGapMs: number
  /** Announcements of the address (gratuitous ARP, unsolicited NA) by the pair. */
  readonly announcements: number
  /** Adverts by the pair. */
  readonly adverts: number
  /** Transitions to MASTER that the pair reported. */
  readonly takeOvers: number
  readonly logLines: number
  /** Processor time of each daemon with its children, as a share of one processor. */
  readonly cpu: readonly [number, number]
  /** Resident memory of each daemon with its children at the end, MB. */
  readonly residentMb: readonly [number, number]
  readonly seconds: number
}

export const trialVrid = 51
const instance = 'VI_1'
const priorities = [150, 140] as const
const ownAddresses = {
  4: ['172.16.80.2', '172.16.80.3'],
  6: ['fe80::ff:fe00:1', 'fe80::ff:fe00:2'],
} as const
const vips = { 4: '172.16.80.100', 6: 'fd00:80::100' } as const

export class Trial {
  readonly lab: Lab
  readonly daemons: readonly [Daemon, Daemon]
  readonly attacker: Host
  readonly capture: Capture
  readonly client: Client
  readonly vip: string
  /** Source addresses of the pair's adverts, master first. */
  readonly sources: readonly [string, string]

  private constructor(
    lab: Lab,
    parts: Pick<Trial, 'daemons' | 'attacker' | 'capture' | 'client' | 'vip' | 'sources'>,
  ) {
    this.lab = lab
    this.daemons = parts.daemons
    this.attacker = parts.attacker
    this.capture = parts.capture
    this.client = parts.client
    this.vip = parts.vip
    this.sources = parts.sources
  }

  /** A settled pair: the first host leads, the client is served by it. */
  static async open(options: TrialOptions): Promise<Trial> {
    const lab = await openLab({ name: 'trial' })
    try {
      return await Trial.#settle(lab, options)
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  static async #settle(lab: Lab, options: TrialOptions): Promise<Trial> {
    const { family = 4 } = options
    const host = (name: string, n: number) =>
      lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`, `fd00:80::${n}/64`] } })
    const one = await host('one', 2)
    const two = await host('two', 3)
    const attacker = await host('attacker', 66)
    const desk = await host('desk', 9)
    for (const server of [one, two]) await serveWeb(server)
    const daemons = [
      startDaemon(options.kind, one, configuration(options, priorities[0])),
      startDaemon(options.kind, two, configuration(options, priorities[1])),
    ] as const
    await daemons[0].reaches(instance, 'MASTER', 15_000)
    await two.awaitAddress(vips[family], false, 15_000)
    await daemons[1].reaches(instance, 'BACKUP', 15_000)
    const client = Client.start(desk, vips[family], 5)
    await client.answeredBy('one', 15_000)
    // What the pair sends, not what is thrown at it.
    const ours = '(ether src 02:00:00:00:00:01 or ether src 02:00:00:00:00:02)'
    const capture = await lab.capture({ filter: `${ours} and (proto 112 or ip6 or arp)` })
    await capture.advert('the master', 10_000, (a) => a.priority === priorities[0])
    const sources = ownAddresses[family]
    return new Trial(lab, { daemons, attacker, capture, client, vip: vips[family], sources })
  }

  /** Who holds the address now, as the kernels say. */
  async holders(): Promise<readonly string[]> {
    const hosts = this.daemons.map((d) => d.host)
    const held = await Promise.all(hosts.map((host) => host.holds(this.vip)))
    return hosts.filter((_, i) => held[i]).map((host) => host.name)
  }

  /** Runs `body` and gives what it cost. */
  async during(body: () => Promise<void>): Promise<Figures> {
    const hosts = this.daemons.map((d) => d.host)
    const holding = await Promise.all(hosts.map((host) => host.holds(this.vip)))
    const marks = hosts.map((host) => host.changes.items.length)
    const lines = this.daemons.map((d) => d.child.mark)
    const transitions = this.daemons.map((d) => d.transitions.items.length)
    const from = this.capture.mark
    const trees = await Promise.all(this.daemons.map((d) => d.child.pid()))
    const cpuBefore = trees.map(cpuSeconds)
    const startMs = nowMs()
    await body()
    const endMs = nowMs()
    const cpuAfter = trees.map(cpuSeconds)
    await this.#answered(endMs)
    const seconds = (endMs - startMs) / 1_000
    const both = <T>(of: (i: 0 | 1) => T): readonly [T, T] => [of(0), of(1)]
    const changes = hosts.flatMap((host, i) =>
      host.changes.items
        .slice(marks[i])
        .filter((change) => change.address === this.vip)
        .map(({ atMs, present }) => ({ atMs, present, host: i })),
    )
    const since = (i: 0 | 1) => this.daemons[i].transitions.items.slice(transitions[i])
    const frames = this.capture.frames.items.slice(from)
    const arrivals = changes.filter((c) => c.host === 1 && c.present)
    const gaps = this.client.gaps(startMs).filter((gap) => gap.fromMs < endMs)
    return {
      ...heldFor(holding, changes, startMs, endMs),
      newMasterMs: arrivals[0] === undefined ? null : arrivals[0].atMs - startMs,
      clientGapMs: Math.max(0, ...gaps.map((gap) => gap.lastedMs)),
      announcements: frames.filter(
        (f) => (f.kind === 'arp' && f.gratuitous && f.target === this.vip) || f.kind === 'na',
      ).length,
      adverts: frames.filter((f) => f.kind === 'vrrp').length,
      takeOvers: [...since(0), ...since(1)].filter((t) => t.to === 'MASTER').length,
      logLines: lines.reduce((n, mark, i) => n + (this.daemons[i]?.child.mark ?? 0) - mark, 0),
      cpu: both((i) => ((cpuAfter[i] ?? 0) - (cpuBefore[i] ?? 0)) / seconds),
      residentMb: both((i) => residentMb(trees[i] ?? null)),
      seconds,
    }
  }

  close(): Promise<void> {
    return this.lab.close()
  }

  /** Questions put until then have been answered or given up. */
  async #answered(atMs: number): Promise<void> {
    await until('the client has caught up', 10_000, () =>
      this.client.answers.items.some((answer) => answer.askedMs > atMs + 300),
    )
  }
}

function configuration(options: TrialOptions, priority: number): string {
  const { family = 4, version = 3, advertInt = version === 2 ? 1 : 0.1 } = options
  const { more = '', globals = '' } = options
  return `global_defs {
  script_user root
  ${globals}
}
vrrp_instance ${instance} {
  interface eth0
  virtual_router_id ${trialVrid}
  version ${version}
  priority ${priority}
  advert_int ${advertInt}
  virtual_ipaddress {
    ${vips[family]}/${family === 4 ? 24 : 64}
  }
  ${more}
}
`
}

type Change = { readonly atMs: number; readonly present: boolean; readonly host: number }

/** For how long both, and for how long none, of two hosts held the address. */
function heldFor(
  holding: readonly boolean[],
  changes: readonly Change[],
  startMs: number,
  endMs: number,
): Pick<Figures, 'twoHoldersMs' | 'noHolderMs'> {
  const held = [...holding]
  let twoHoldersMs = 0
  let noHolderMs = 0
  let lastMs = startMs
  const end: Change = { atMs: endMs, present: false, host: -1 }
  for (const change of [...changes.toSorted((a, b) => a.atMs - b.atMs), end]) {
    const span = Math.max(0, Math.min(change.atMs, endMs) - lastMs)
    if (held[0] === true && held[1] === true) twoHoldersMs += span
    if (held[0] !== true && held[1] !== true) noHolderMs += span
    lastMs = Math.max(lastMs, change.atMs)
    held[change.host] = change.present
  }
  return { twoHoldersMs, noHolderMs }
}

/** User and system time of a process and what it started, so far. Processes that are gone count nothing. */
export function cpuSeconds(root: number | null): number {
  const ticks = familyOf(root).map((pid) => {
    const fields = readProc(pid, 'stat')
      .replace(/^.*\) /, '')
      .split(' ')
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  })
  return ticks.reduce((sum, n) => sum + n, 0) / 100
}

export function residentMb(root: number | null): number {
  const kb = familyOf(root).map((pid) => /^VmRSS:\s*(\d+)/m.exec(readProc(pid, 'status'))?.[1])
  return kb.reduce((sum, n) => sum + Number(n ?? 0), 0) / 1_024
}

/** A process and everything below it, whichever of its threads started it. */
export function familyOf(root: number | null): readonly number[] {
  if (root === null) return []
  const children = threadsOf(root).flatMap((thread) =>
    readProc(root, `task/${thread}/children`)
      .split(' ')
      .filter((pid) => pid !== ''),
  )
  return [root, ...children.flatMap((pid) => familyOf(Number(pid)))]
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A file of /proc; '' when the process is gone. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
