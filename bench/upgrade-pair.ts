/** Upgrades of one daemon of a pair, in blocks that alternate with the yardstick: as much work, and no exchange. */
import { Client } from '../src/lab/client.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import { openLab } from '../src/lab/lab.ts'
import { serveWeb, startDaemon } from '../src/lab/serving.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { nowMs } from '../src/lab/wait.ts'
import { oneInstance, vip } from './one-instance.ts'
import {
  median,
  onTheWire,
  quiet,
  type Role,
  type Row,
  refusedUpgrade,
  soonMs,
  upgraded,
} from './upgrade-lab.ts'

/** A question of the client every so many milliseconds. */
const everyMs = 2
const patienceMs = 250
/** What the machine does besides changes within minutes. */
const blockOf = 10

type Seen = ReturnType<typeof onTheWire> & {
  readonly transitions: number
  readonly clientGapMs: number
  readonly took: readonly number[]
}

/** Two rows: with upgrades, and with the same work without. */
export async function pair(
  role: Role,
  peer: DaemonKind,
  n: number,
  advertInt: number,
): Promise<readonly Row[]> {
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
    const config = of(role === 'master' ? 150 : 100)
    const subject = startVipd(one, config)
    const other = startDaemon(peer, two, of(role === 'master' ? 100 : 150))
    const [master, backup]: [Daemon, Daemon] =
      role === 'master' ? [subject, other] : [other, subject]
    await master.reaches('VI_1', 'MASTER', soonMs)
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    const client = Client.start(desk, vip, everyMs, patienceMs)
    await client.answeredBy(master.host.name, soonMs)
    const capture = await lab.capture()
    const sender = `172.16.80.${role === 'master' ? 1 : 2}`
    const transitions = () => subject.transitions.items.length + other.transitions.items.length
    const block = async (count: number, act: () => Promise<number>): Promise<Seen> => {
      const [beganMs, mark, before] = [nowMs(), capture.mark, transitions()]
      const took: number[] = []
      for (let i = 0; i < count; i++) took.push(await act())
      const gaps = client.gaps(beganMs).map(({ lastedMs }) => lastedMs)
      return {
        ...onTheWire(capture, mark, sender),
        transitions: transitions() - before,
        clientGapMs: Math.max(0, ...gaps),
        took,
      }
    }
    const blocks: Record<'upgraded' | 'refused', Seen[]> = { upgraded: [], refused: [] }
    for (let left = n; left > 0; left -= blockOf) {
      const count = Math.min(left, blockOf)
      blocks.upgraded.push(await block(count, () => upgraded(subject)))
      blocks.refused.push(await block(count, () => refusedUpgrade(subject, config)))
    }
    return (['upgraded', 'refused'] as const).map((what) => ({
      ...{ role, peer, what, advertInt, n },
      ...together(blocks[what]),
    }))
  } finally {
    await lab.close()
  }
}

function together(blocks: readonly Seen[]): Row {
  const sum = (of: (seen: Seen) => number) => blocks.reduce((all, it) => all + of(it), 0)
  const most = (of: (seen: Seen) => number) => Math.max(...blocks.map(of))
  const took = blocks.flatMap((it) => it.took)
  return {
    adverts: sum((it) => it.adverts),
    longestGapMs: most((it) => it.longestGapMs),
    resignations: sum((it) => it.resignations),
    ofOthers: sum((it) => it.ofOthers),
    announcements: sum((it) => it.announcements),
    transitions: sum((it) => it.transitions),
    clientGapMs: most((it) => it.clientGapMs),
    tookMedianMs: median(took),
    tookMostMs: Math.max(...took),
  }
}
