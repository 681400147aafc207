/** How soon a claim is reported: from the first frame of the other machine on the wire to the line of the log. */
import { setTimeout as delay } from 'node:timers/promises'
import { parseIp } from '../src/base/ip.ts'
import { summarise } from '../src/base/statistics.ts'
import { tableText } from '../src/bench/report.ts'
import type { Capture } from '../src/lab/capture.ts'
import { senderOf } from '../src/lab/frames.ts'
import type { Host } from '../src/lab/host.ts'
import { startKeepalived } from '../src/lab/keepalived.ts'
import { type Lab, openLab } from '../src/lab/lab.ts'
import { startVipd, type Vipd } from '../src/lab/vipd.ts'
import { oneInstance, vip } from './one-instance.ts'

const vip6 = 'fd00:80::100'
const soonMs = 60_000

type Trial = {
  readonly lab: Lab
  readonly capture: Capture
  readonly one: Host
  readonly stranger: Host
  readonly advertInt: number
  readonly number: number
}

/** What the other machine does to an instance that leads; the master, and the address that it claims. */
type Strike = (trial: Trial) => Promise<{ readonly master: Vipd; readonly address: string }>

const conf = (priority: number, advertInt: number): string =>
  oneInstance(priority, advertInt).replace(
    /}\s*$/,
    `virtual_ipaddress_excluded {\n    ${vip6}/64\n  }\n}\n`,
  )

/** Leads for longer than the interval in which nothing is reported. */
async function leads({ one, advertInt, number }: Trial): Promise<Vipd> {
  const master = startVipd(one, conf(150, advertInt), `vipd${number}`)
  await master.reaches('VI_1', 'MASTER', soonMs)
  await delay(1_300 * advertInt + 100)
  return master
}

/** The kernel asks for a neighbour in the name of the address, three times with a second between. */
async function speak(host: Host, number: number): Promise<void> {
  const to = `172.16.80.${110 + (number % 100)}`
  await host.must('ip', ['route', 'replace', `${to}/32`, 'dev', 'eth0', 'src', vip])
  await host.run('bash', ['-c', `echo > /dev/udp/${to}/9`])
}

const has = (host: Host, what: 'replace' | 'del', address: string) =>
  host.run('ip', ['address', what, address, 'dev', 'eth0'])

const strikes: Readonly<Record<string, Strike>> = {
  foreign: async (trial) => {
    const master = await leads(trial)
    await has(trial.stranger, 'replace', `${vip}/32`)
    await speak(trial.stranger, trial.number)
    return { master, address: vip }
  },
  stale: async ({ one, stranger, advertInt, number }) => {
    const stale = startKeepalived(stranger, oneInstance(150, advertInt))
    await stale.reaches('VI_1', 'MASTER', soonMs)
    const master = startVipd(one, oneInstance(100, advertInt), `vipd${number}`)
    await master.reaches('VI_1', 'BACKUP', soonMs)
    await stranger.awaitAddress(vip, true, soonMs)
    await stale.kill()
    await master.reaches('VI_1', 'MASTER', soonMs)
    await delay(1_300 * advertInt + 100)
    await speak(stranger, number)
    return { master, address: vip }
  },
  'same-mac': async (trial) => {
    const master = await leads(trial)
    const { lab, one, stranger, number } = trial
    await stranger.must('ip', ['link', 'set', 'eth0', 'address', lab.mac(one)])
    await has(stranger, 'replace', `${vip}/32`)
    await speak(stranger, number)
    return { master, address: vip }
  },
  dad: async (trial) => {
    const master = await leads(trial)
    await trial.stranger.must('sysctl', ['-w', 'net.ipv6.conf.eth0.accept_dad=1'])
    await has(trial.stranger, 'replace', `${vip6}/64`)
    return { master, address: vip6 }
  },
}

async function measure(strike: Strike, trial: Trial): Promise<number> {
  const { capture, stranger, lab } = trial
  const from = capture.mark
  const { master, address } = await strike(trial)
  const line = await master.child.line(new RegExp(`\\(VI_1\\) ${address} is claimed`), soonMs)
  const claimed = parseIp(address)
  const first = capture.frames.items.slice(from).find((frame) => {
    if (frame.kind === 'arp') return frame.sender === claimed && !frame.gratuitous
    // The solicitation of duplicate address detection.
    return (
      address === vip6 && senderOf(frame.bytes) === lab.mac(stranger) && frame.bytes[54] === 135
    )
  })
  if (first === undefined) throw new Error('the claim was not captured')
  await master.stop()
  for (const left of [`${vip}/32`, `${vip}/24`, `${vip6}/64`]) await has(stranger, 'del', left)
  await stranger.must('ip', ['link', 'set', 'eth0', 'address', lab.mac(stranger)])
  return line.atMs - first.atMs
}

export async function reportTable(
  cases: readonly string[],
  intervals: readonly number[],
  n: number,
): Promise<void> {
  const rows: string[][] = []
  for (const name of cases) {
    const strike = strikes[name]
    if (strike === undefined) throw new Error(`no case ${name}: ${Object.keys(strikes).join()}`)
    for (const advertInt of intervals) {
      const lab = await openLab({ name: 'claim' })
      try {
        const host = (title: string, last: number) =>
          lab.host(title, { addresses: { eth0: [`172.16.80.${last}/24`] } })
        const hosts = { one: await host('one', 2), stranger: await host('stranger', 9) }
        const capture = await lab.capture()
        const spans: number[] = []
        for (let number = 0; number < n; number++)
          spans.push(await measure(strike, { lab, capture, ...hosts, advertInt, number }))
        const { p50 = Number.NaN, min = Number.NaN, max = Number.NaN } = summarise(spans) ?? {}
        rows.push([
          name,
          String(advertInt),
          String(n),
          ...[min, p50, max].map((ms) => ms.toFixed(0)),
        ])
      } finally {
        await lab.close()
      }
    }
  }
  const head = ['case', 'advert_int', 'n', 'min ms', 'median', 'max']
  process.stdout.write(`${tableText({ head, rows })}\n`)
}
