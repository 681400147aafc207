/**
 * Sessions that are lost although both ends live and the path carries: two vipds and two keepaliveds at once, 50 ms × 3
 * with real-time or ordinary scheduling, beside two processes that never rest. Both ends count. The longest pause is between two
 * packets of one sender on the wire, by the kernel's time stamps; vipd's status has its own by arrival.
 */
import { loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Capture } from '../src/lab/capture.ts'
import type { Daemon } from '../src/lab/daemon.ts'
import type { Host } from '../src/lab/host.ts'
import { startKeepalived } from '../src/lab/keepalived.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import type { Status } from '../src/report/status.ts'

const everyMs = 50
const soonMs = 60_000
const busyProcesses = 2

const configuration = (own: number, peer: number, globals: string): string => `global_defs {
  ${globals}
}
bfd_instance peer {
  neighbor_ip 172.16.80.${peer}
  source_ip 172.16.80.${own}
  min_rx ${everyMs}
  min_tx ${everyMs}
  multiplier 3
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id ${Math.max(own, peer)}
  version 3
  priority ${100 + own}
  advert_int 1
  virtual_ipaddress {
    172.16.80.${100 + Math.max(own, peer)}/24
  }
  track_bfd {
    peer weight 1
  }
}
`

type Side = { readonly kind: 'vipd' | 'keepalived'; readonly daemon: Daemon; readonly last: number }

/** Without it the engine has no real-time scheduling. */
const withoutRealtime = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice']

type Ends = { readonly lab: Lab; readonly realtime: boolean }

async function side(
  { lab, realtime }: Ends,
  kind: Side['kind'],
  last: number,
  peer: number,
): Promise<Side> {
  const addresses = { eth0: [`172.16.80.${last}/24`] }
  const host: Host = await lab.host(`${kind[0] ?? ''}${last}`, { addresses })
  const both = 'vrrp_rt_priority 50\n  vrrp_no_swap'
  const keepaliveds = `${both}\n  bfd_rt_priority 50\n  bfd_no_swap`
  const text = configuration(last, peer, !realtime ? '' : kind === 'vipd' ? both : keepaliveds)
  const daemon =
    kind === 'vipd'
      ? startVipd(host, text, 'vipd', realtime ? [] : withoutRealtime)
      : startKeepalived(host, text)
  return { kind, daemon, last }
}

const up = ({ daemon: { child } }: Side) => child.line(/\(peer\) Entering Up state/, soonMs)

/** The longest pause between two packets of that sender, milliseconds. */
function longestPause(capture: Capture, last: number, from: number): number {
  const ipSource = 26
  let before: number | null = null
  let longest = 0
  for (const { atMs, bytes } of capture.frames.items.slice(from)) {
    if (bytes[ipSource + 3] !== last) continue
    if (before !== null) longest = Math.max(longest, atMs - before)
    before = atMs
  }
  return longest
}

const countSince = ({ daemon: { child } }: Side, mark: number, what: RegExp): number =>
  child.output.items.slice(mark).filter(({ text }) => what.test(text)).length

async function statusOf({ daemon }: Side): Promise<Status> {
  const answer = await (daemon as Vipd).ask('status', '--json')
  return JSON.parse(answer.stdout) as Status
}

async function row(of: Side, mark: number, capture: Capture, from: number): Promise<string> {
  const lost = countSince(of, mark, /\(peer\) Expired after/)
  const changes = countSince(of, mark, /\(peer\) Entering (Up|Down|Init) state/)
  const status = of.kind === 'vipd' ? await statusOf(of) : null
  const gap = status?.bfd[0]?.longestGapMs.toFixed(1) ?? '–'
  const sent = longestPause(capture, of.last, from).toFixed(1)
  return `| ${[`${of.kind} .${of.last}`, lost, changes, sent, gap].join(' | ')} |`
}

/** A table. */
export async function falseDetections(minutes: number, realtime: boolean): Promise<string> {
  const lab = await openLab({ name: 'bfd' })
  try {
    const ends = { lab, realtime }
    const sides = [
      await side(ends, 'vipd', 2, 3),
      await side(ends, 'vipd', 3, 2),
      await side(ends, 'keepalived', 4, 5),
      await side(ends, 'keepalived', 5, 4),
    ]
    const busy = await lab.host('busy', { addresses: {} })
    await Promise.all(sides.map(up))
    for (let i = 0; i < busyProcesses; i++)
      busy.spawn('sh', ['-c', 'while :; do :; done'], { name: 'busy' })
    await delay(5_000)
    const capture = await lab.capture({ filter: 'udp port 3784' })
    const marks = sides.map(({ daemon }) => daemon.child.mark)
    const from = capture.mark
    const load = [loadavg()[0]]
    for (let minute = 1; minute <= minutes; minute++) {
      await delay(60_000)
      load.push(loadavg()[0])
      const lost = sides.map((each, i) => countSince(each, marks[i] ?? 0, /Expired after/))
      process.stderr.write(`${minute} of ${minutes} min: ${lost.join(' ')}\n`)
    }
    const granted = (await Promise.all(sides.slice(0, 2).map(statusOf))).map(
      ({ engine }) => engine.realtime,
    )
    const rows: string[] = []
    for (const [i, each] of sides.entries())
      rows.push(await row(each, marks[i] ?? 0, capture, from))
    const loads = load.map((each) => each?.toFixed(1)).join(' ')
    return `${[
      `${minutes} min, ${everyMs} ms × 3; real-time in vipd: ${granted.join(', ')}; load each minute: ${loads}`,
      '| end | lost | changes of state | longest pause it sent (ms) | longest that it heard (ms) |',
      '| --- | ---: | ---: | ---: | ---: |',
      ...rows,
    ].join('\n')}\n`
  } finally {
    await lab.close()
  }
}
