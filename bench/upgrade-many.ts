/** Upgrades of a host with many instances, as their master and as their backup. */
import type { Capture } from '../src/lab/capture.ts'
import { openLab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { until } from '../src/lab/wait.ts'
import { held, hostOn, linksOf, manyInstances, segment } from './many-instances.ts'
import { median, onTheWire, quiet, type Role, type Row, soonMs, upgraded } from './upgrade-lab.ts'

export async function many(role: Role, n: number, instances: number): Promise<Row> {
  const lab = await openLab({ name: 'many' })
  try {
    const size = { instances, addresses: 1, advertInt: 1 }
    const [one, two] = [await hostOn(lab, 'one', 1, size), await hostOn(lab, 'two', 2, size)]
    const of = (priority: number) => `global_defs {\n${quiet}\n}\n${manyInstances(priority, size)}`
    const names = Array.from({ length: instances }, (_, i) => `VI_${i}`)
    const master = startVipd(one, of(150))
    await until('it has all', 2 * soonMs, async () => (await held(one)) === instances)
    const backup = startVipd(two, of(100))
    await until('the peer follows', 2 * soonMs, () =>
      names.every((name) => backup.state(name) === 'BACKUP'),
    )
    const subject = role === 'master' ? master : backup
    const captures = await Promise.all(
      Array.from({ length: linksOf(size) }, (_, i) => lab.capture({ segment: segment(i) })),
    )
    const transitions = () => master.transitions.items.length + backup.transitions.items.length
    const before = transitions()
    const marks = captures.map(({ mark }) => mark)
    const took: number[] = []
    for (let i = 0; i < n; i++) took.push(await upgraded(subject))
    const gaps = captures.flatMap((capture, i) => gapsOf(capture, marks[i] ?? 0))
    const wires = captures.map((it, i) => onTheWire(it, marks[i] ?? 0, `172.16.${80 + i}.1`))
    const sum = (key: 'resignations' | 'announcements' | 'ofOthers') =>
      wires.reduce((all, it) => all + it[key], 0)
    const { instances: all } = await backup.status()
    return {
      ...{ role, instances, n },
      transitions: transitions() - before,
      backups: all.filter(({ state }) => state === 'BACKUP').length,
      longestGapMs: gaps.reduce((most, gap) => Math.max(most, gap), 0),
      resignations: sum('resignations'),
      ofOthers: sum('ofOthers'),
      announcements: sum('announcements'),
      tookMedianMs: median(took),
      tookMostMs: Math.max(...took),
    }
  } finally {
    await lab.close()
  }
}

/** Of each virtual router on that segment. */
function gapsOf(capture: Capture, mark: number): readonly number[] {
  const vrids = new Map<number, number[]>()
  for (const { vrid, atMs } of capture.adverts(() => true, mark))
    vrids.set(vrid, [...(vrids.get(vrid) ?? []), atMs])
  return [...vrids.values()].flatMap((at) => at.slice(1).map((t, i) => t - (at[i] ?? t)))
}
