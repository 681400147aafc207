/**
 * What the watch costs a segment that is busy with other things: processor time of a frame that it is not meant by. The sender's
 * process pays for the receiver's kernel too, as a pair of veth has it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import type { Host } from '../src/lab/host.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { oneInstance } from './one-instance.ts'

const kinds = ['arp', 'udp6'] as const
type Kind = (typeof kinds)[number]
type Stage = { readonly lab: Lab; readonly master: Host; readonly sender: Host }

async function open(reaction: 'off' | 'report'): Promise<Stage> {
  const lab = await openLab({ name: 'busy' })
  const host = (name: string, last: number) =>
    lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`, `fd00:80::${last}/64`] } })
  const [master, sender] = [await host('master', 2), await host('sender', 9)]
  const excluded = 'virtual_ipaddress_excluded {\n    fd00:80::100/64\n  }\n}\n'
  const conf = `global_defs {\n  vipd_address_claim ${reaction}\n}\n${oneInstance(150, 1)}`
  const daemon = startVipd(master, conf.replace(/}\s*$/, excluded))
  await daemon.reaches('VI_1', 'MASTER', 60_000)
  return { lab, master, sender }
}

/** Nanoseconds of a frame. */
async function cost({ lab, master, sender }: Stage, kind: Kind, frames: number): Promise<number> {
  const script = fileURLToPath(new URL('./claim-sender.js', import.meta.url))
  const said = await sender.must(process.execPath, [
    script,
    kind,
    String(frames),
    lab.mac(sender),
    lab.mac(master),
  ])
  return Number(said)
}

export async function busyTable(frames: number, rounds: number): Promise<void> {
  const stages = { off: await open('off'), report: await open('report') }
  try {
    // The second announcements.
    await delay(6_000)
    const rows: string[][] = []
    for (const kind of kinds) {
      const seen = { off: [] as number[], report: [] as number[] }
      for (let i = 0; i < rounds; i++)
        for (const what of ['off', 'report'] as const)
          seen[what].push(await cost(stages[what], kind, frames))
      const median = (values: readonly number[]) => summarise(values)?.p50 ?? Number.NaN
      const [off, on] = [median(seen.off), median(seen.report)]
      const spread = (values: readonly number[]) => values.map((it) => it.toFixed(0)).join(' ')
      rows.push([
        kind,
        spread(seen.off),
        spread(seen.report),
        (on - off).toFixed(0),
        (on / off).toFixed(3),
      ])
    }
    const head = ['frames', 'ns each, off', 'ns each, report', 'difference of medians', 'ratio']
    process.stdout.write(`${tableText({ head, rows })}\n`)
  } finally {
    for (const { lab } of Object.values(stages)) await lab.close()
  }
}
