/**
 * Upgrades of a daemon with a BFD session at 10 ms × 3, beside another vipd and BIRD, in blocks that alternate with the
 * yardstick: as much work, and no exchange. The longest pause is between two packets of one sender on the wire, by the
 * kernel's time stamps; both ends have real-time scheduling.
 */
import type { Capture } from '../src/lab/capture.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import type { Status } from '../src/report/status.ts'
import { Bird } from '../test/bfd/bird.ts'
import { oneInstance } from './one-instance.ts'
import { median, quiet, type Row, refusedUpgrade, soonMs, upgraded } from './upgrade-lab.ts'

const [own, peer] = ['172.16.80.1', '172.16.80.2']
const everyMs = 10
const multiplier = 3
/** What the machine does besides changes within minutes. */
const blockOf = 10

export const remotes = ['vipd', 'BIRD'] as const
type RemoteKind = (typeof remotes)[number]

const config = (priority: number, from: string, to: string, line: string): string => `global_defs {
${quiet}
vrrp_rt_priority 50
vrrp_no_swap
}
bfd_instance b {
  neighbor_ip ${to}
  source_ip ${from}
  min_rx ${everyMs}
  min_tx ${everyMs}
  multiplier ${multiplier}
}
${oneInstance(priority, 1).replace(/\}\s*$/, `  track_bfd {\n    ${line}\n  }\n}\n`)}`

/** The other end: how often its session has changed. */
type Remote = { changes(): Promise<string> }

const sessionChanges = async (daemon: Vipd): Promise<string> => {
  const { stdout } = await daemon.ask('status', '--json')
  const [session] = (JSON.parse(stdout) as Status).bfd
  return session?.state === 'Up' ? String(session.transitions) : `not up: ${session?.state}`
}

async function remoteOn(kind: RemoteKind, two: Host): Promise<Remote> {
  if (kind === 'vipd') {
    const daemon = startVipd(two, config(100, peer, own, 'b takeover'))
    return { changes: () => sessionChanges(daemon) }
  }
  const pace = { rx: everyMs, tx: everyMs, multiplier }
  const bird = new Bird(two, { own: peer, peer: own, multihop: false }, pace)
  await bird.start()
  await two.must('sh', ['-c', 'chrt -a -r -p 50 $(pgrep -x bird)'])
  return { changes: async () => String((await bird.seen())?.changed) }
}

type Seen = { readonly packets: number; readonly longestGapMs: number; readonly lost: number }

/** Of the one whose address ends with 1. */
function onTheWire(capture: Capture, from: number): Omit<Seen, 'lost'> {
  const sourceAt = 26
  const at = capture.frames.items.slice(from).flatMap(({ atMs, bytes }) => {
    return bytes[sourceAt + 3] === 1 ? [atMs] : []
  })
  const gaps = at.slice(1).map((time, i) => time - (at[i] ?? time))
  return { packets: at.length, longestGapMs: gaps.reduce((most, gap) => Math.max(most, gap), 0) }
}

/** Two rows: with upgrades, and with the same work without. */
export async function withSessions(kind: RemoteKind, n: number): Promise<readonly Row[]> {
  const lab: Lab = await openLab({ name: 'upgrade-bfd' })
  try {
    const one = await lab.host('one', { addresses: { eth0: [`${own}/24`] } })
    const two = await lab.host('two', { addresses: { eth0: [`${peer}/24`] } })
    const text = config(150, own, peer, kind === 'vipd' ? 'b takeover' : 'b')
    const subject = startVipd(one, text)
    const remote = await remoteOn(kind, two)
    await until('the session is up at its own pace', soonMs, async () => {
      const { stdout } = await subject.ask('status', '--json')
      const [session] = stdout === '' ? [] : (JSON.parse(stdout) as Status).bfd
      return session?.state === 'Up' && session.detectionMs === everyMs * multiplier
    })
    await subject.reaches('VI_1', 'MASTER', soonMs)
    const capture = await lab.capture({ filter: 'udp port 3784' })
    const changes = async () => [await sessionChanges(subject), await remote.changes()].join(' ')
    const took: Record<'upgraded' | 'refused', number[]> = { upgraded: [], refused: [] }
    const block = async (count: number, act: () => Promise<number>, into: number[]) => {
      const [mark, before] = [capture.mark, await changes()]
      for (let i = 0; i < count; i++) into.push(await act())
      return { ...onTheWire(capture, mark), lost: (await changes()) === before ? 0 : 1 }
    }
    const blocks: Record<'upgraded' | 'refused', Seen[]> = { upgraded: [], refused: [] }
    for (let left = n; left > 0; left -= blockOf) {
      const count = Math.min(left, blockOf)
      const refuse = () => refusedUpgrade(subject, text)
      blocks.upgraded.push(await block(count, () => upgraded(subject), took.upgraded))
      blocks.refused.push(await block(count, refuse, took.refused))
    }
    const sum = (all: readonly number[]) => all.reduce((total, it) => total + it, 0)
    return (['upgraded', 'refused'] as const).map((what) => ({
      ...{ remote: kind, what, session: `${everyMs} ms × ${multiplier}`, n },
      packets: sum(blocks[what].map(({ packets }) => packets)),
      longestGapMs: Math.max(...blocks[what].map(({ longestGapMs }) => longestGapMs)),
      blocksWithALoss: sum(blocks[what].map(({ lost }) => lost)),
      tookMedianMs: median(took[what]),
      tookMostMs: Math.max(...took[what]),
    }))
  } finally {
    await lab.close()
  }
}
