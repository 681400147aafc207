/**
 * How long a host takes to answer an ARP request for a virtual address, with a kernel lease and without, by turns, reload by
 * reload. Both frames are stamped by the kernel on the port of the host.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { openLab } from '../src/lab/lab.ts'
import { program } from '../src/lab/program.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { type LeaseBench, leasedText, median, soonMs, turn, waysOf } from './lease-common.ts'

const vip = '172.16.80.100'
const everyMs = 5
const asked = 200
const usual = 15

export async function arp({ n, isOver, print }: LeaseBench) {
  const lab = await openLab({ name: 'arp' })
  try {
    const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
    const vipd = startVipd(one, leasedText(vip, 'on'))
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    const args = ['eth0', lab.mac(desk), '172.16.80.9', vip, String(everyMs)]
    desk.spawn(process.execPath, [program('./resolver.js'), ...args], { name: 'resolver' })
    const capture = await lab.capture({ port: one, filter: 'arp' })
    const runs: { readonly on: number[]; readonly off: number[] } = { on: [], off: [] }
    for (let round = 0; round < (n ?? usual) && !isOver(); round++)
      for (const way of waysOf(round)) {
        await turn(vipd, vip, way)
        const from = capture.mark
        await delay(asked * everyMs)
        runs[way].push(median(answerUs(capture.frames.items.slice(from))))
      }
    print(['lease', 'runs', `answer to ARP, median of ${asked}: median of the runs, µs`, 'runs'])
    print(['---', '---', '---', '---'])
    for (const way of ['off', 'on'] as const) print(row(way, runs[way]))
    return runs
  } finally {
    await lab.close()
  }
}

type Seen = { readonly atMs: number; readonly kind: string; readonly bytes: Uint8Array }

/** From each request to the answer that follows it. */
function answerUs(frames: readonly Seen[]): readonly number[] {
  const found: number[] = []
  let askedMs: number | null = null
  for (const { atMs, kind, bytes } of frames) {
    if (kind !== 'arp') continue
    const isRequest = bytes[21] === 1
    if (!isRequest && askedMs !== null) found.push((atMs - askedMs) * 1_000)
    askedMs = isRequest ? atMs : null
  }
  return found
}

function row(way: string, runs: readonly number[]) {
  const [least, most] = [Math.min(...runs), Math.max(...runs)]
  return [way, runs.length, median(runs).toFixed(1), `${least.toFixed(1)} to ${most.toFixed(1)}`]
}
