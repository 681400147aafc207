/**
 * What a kernel lease, the watch for claims and the check before a take-over cost a daemon that has nothing to do: a master and
 * a backup of one instance, of each a pair in a lab of its own, all at the same time so that they meet the same machine.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import type { Host } from '../src/lab/host.ts'
import { openLab } from '../src/lab/lab.ts'
import { startVipd } from '../src/lab/vipd.ts'
import { oneInstance } from './one-instance.ts'
import { type Figures, figuresIn } from './own-figures.ts'

type Feature = { readonly what: string; readonly globals: readonly string[] }

const off = 'vipd_address_claim off'
const features: readonly Feature[] = [
  { what: 'none', globals: [off] },
  { what: 'kernel lease', globals: [off, 'vipd_kernel_lease on'] },
  { what: 'claim watch', globals: [] },
  { what: 'claim check', globals: [off, 'vipd_claim_check always'] },
  { what: 'all three', globals: ['vipd_kernel_lease on', 'vipd_claim_check always'] },
]

type Seen = Figures & { readonly usPerSecond: number }

async function idle(host: Host, seconds: number): Promise<Seen> {
  await delay(settleMs)
  const [before, beganMs] = [await figuresIn(host), performance.now()]
  await delay(seconds * 1_000)
  const [now, wentMs] = [await figuresIn(host), performance.now() - beganMs]
  return { ...now, usPerSecond: (now.ranNs - before.ranNs) / wentMs }
}

/** The start, with its second announcements. */
const settleMs = 7_000

async function measure({ globals }: Feature, seconds: number): Promise<readonly [Seen, Seen]> {
  const lab = await openLab({ name: 'features' })
  try {
    const hosts = await Promise.all(
      ['one', 'two'].map((name, i) =>
        lab.host(name, { addresses: { eth0: [`172.16.80.${i + 2}/24`] } }),
      ),
    )
    const [one, two] = hosts
    if (one === undefined || two === undefined) throw new Error('no hosts')
    const config = (priority: number) =>
      `global_defs {\nvipd_history off\n${globals.join('\n')}\n}\n${oneInstance(priority, 1)}`
    const master = startVipd(one, config(150))
    await master.reaches('VI_1', 'MASTER', 60_000)
    const backup = startVipd(two, config(100))
    await backup.reaches('VI_1', 'BACKUP', 60_000)
    return await Promise.all([idle(one, seconds), idle(two, seconds)])
  } finally {
    await lab.close()
  }
}

/** `seconds`: how long each pair is left alone while its processor time is counted. */
export async function featuresTable(rounds: number, seconds: number): Promise<string> {
  const found = features.map(({ what }) => ({ what, pairs: [] as (readonly [Seen, Seen])[] }))
  for (let round = 0; round < rounds; round += 1) {
    const pairs = await Promise.all(features.map((feature) => measure(feature, seconds)))
    for (const [i, pair] of pairs.entries()) found[i]?.pairs.push(pair)
  }
  const roles = ['master', 'backup'] as const
  const rows = found.flatMap(({ what, pairs }) =>
    roles.map((role, at) => {
      const seen = pairs.map((pair) => pair[at as 0 | 1])
      const median = (of: (one: Seen) => number) => summarise(seen.map(of))?.p50 ?? Number.NaN
      const most = (of: (one: Seen) => number) => summarise(seen.map(of))?.max ?? Number.NaN
      return [
        ...[what, role, String(seen.length)],
        ...[median((one) => one.residentMb), most((one) => one.residentMb)].map((n) =>
          n.toFixed(1),
        ),
        ...[median((one) => one.usPerSecond), most((one) => one.usPerSecond)].map((n) =>
          n.toFixed(0),
        ),
        ...[median((one) => one.threads), median((one) => one.descriptors)].map(String),
      ]
    }),
  )
  const head = [
    ...['feature', 'role', 'n', 'median MB', 'max', 'median us of CPU a second', 'max'],
    ...['threads', 'descriptors'],
  ]
  return tableText({ head, rows })
}
