/**
 * The kernel lease: all processes of a master are killed, or stand still, with and without it, beside
 * keepalived in either role. Counted from answers on the wire to a client that asks all the time (ARP, neighbour
 * discovery): answers of the old host once the new one answers, and how long none came.
 *
 * npm run bench:lease -- [--n 20] [--cases base,ipv6,…] [--faults kill,freeze]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Claims } from '../src/lab/claims.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import { openLab } from '../src/lab/lab.ts'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { startDaemon } from '../src/lab/serving.ts'
import { familyOf } from '../src/lab/trial.ts'
import { nowMs } from '../src/lab/wait.ts'

const soonMs = 60_000

type Case = {
  readonly what: string
  readonly master: DaemonKind
  readonly peer: DaemonKind
  readonly lease: boolean
  /** Seconds. */
  readonly advertInt: number
  readonly vip: string
  readonly own: string
  readonly more: (self: string, peer: string) => string
}

const base: Case = {
  what: 'IPv4',
  ...{ master: 'vipd', peer: 'vipd', lease: true, advertInt: 0.1 },
  ...{ vip: '172.16.80.100', own: '172.16.80.9', more: () => '' },
}
const cases: Readonly<Record<string, Case>> = {
  base,
  without: { ...base, what: 'IPv4, without', lease: false },
  keepalived: { ...base, what: 'IPv4', master: 'keepalived', peer: 'vipd', lease: false },
  'peer-keepalived': { ...base, peer: 'keepalived' },
  ipv6: { ...base, what: 'IPv6', vip: 'fd00:80::100', own: 'fd00:80::9' },
  unicast: {
    ...base,
    what: 'unicast',
    more: (self, peer) => `unicast_src_ip ${self}\n unicast_peer {\n ${peer}\n }`,
  },
  second: { ...base, what: 'IPv4, advert_int 1', advertInt: 1 },
}

const text = (of: Case, priority: number, self: string, peer: string, kind: DaemonKind): string => `
global_defs {
  script_user root
  ${of.lease && kind === 'vipd' ? 'vipd_kernel_lease on' : ''}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int ${of.advertInt}
  virtual_ipaddress {
    ${of.vip}/${of.vip.includes(':') ? 64 : 24}
  }
  ${of.more(self, peer)}
}
`

type Outcome = { readonly twoHolders: number; readonly gapMs: number; readonly newMs: number }

async function measure(of: Case, fault: 'kill' | 'freeze'): Promise<Outcome> {
  const lab = await openLab({ name: 'lease' })
  try {
    const host = (name: string, n: number) =>
      lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`, `fd00:80::${n}/64`] } })
    const [one, two, desk] = [await host('one', 2), await host('two', 3), await host('desk', 9)]
    const [a, b] = ['172.16.80.2', '172.16.80.3']
    const master = startDaemon(of.master, one, text(of, 150, a, b, of.master))
    await master.reaches('VI_1', 'MASTER', soonMs)
    const backup = startDaemon(of.peer, two, text(of, 140, b, a, of.peer))
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    const claims = await Claims.open(lab, desk, { own: of.own, address: of.vip })
    // At any phase of the adverts.
    await delay(500 + Math.random() * of.advertInt * 1_000)
    const fromMs = await strike(master, fault)
    await claims.answeredBy(lab.mac(two), soonMs, fromMs)
    await delay(4_000)
    const { twoHolders, gapMs, firstNewMs } = claims.change(lab.mac(one), lab.mac(two), fromMs)
    return { twoHolders, gapMs, newMs: firstNewMs - fromMs }
  } finally {
    await lab.close()
  }
}

async function strike(daemon: Daemon, how: 'kill' | 'freeze'): Promise<number> {
  const all = familyOf(await daemon.child.pid())
  const fromMs = nowMs()
  const signal = how === 'kill' ? 'SIGKILL' : 'SIGSTOP'
  for (const pid of all) process.kill(pid, signal)
  return fromMs
}

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b)
const median = (values: readonly number[]) => sorted(values)[values.length >> 1] ?? Number.NaN
const most = (values: readonly number[]) => sorted(values).at(-1) ?? Number.NaN

ensureNamespaces()
const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '20' },
    cases: { type: 'string', default: Object.keys(cases).join() },
    faults: { type: 'string', default: 'kill,freeze' },
  },
})
const rows: unknown[] = []
process.stdout.write(
  '| case | master | peer | lease | fault | n | answers of two holders, most | none answered ms, median | max | new master answers ms, median | max |\n',
)
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n')
for (const name of values.cases.split(','))
  for (const fault of values.faults.split(',') as ('kill' | 'freeze')[]) {
    const of = cases[name]
    if (of === undefined) throw new Error(`no case ${name}: ${Object.keys(cases).join()}`)
    const n = name === 'base' ? Number(values.n) : Math.max(1, Math.ceil(Number(values.n) / 4))
    const outcomes: Outcome[] = []
    for (let i = 0; i < n; i++) outcomes.push(await measure(of, fault))
    const [two, gap, fresh] = [
      outcomes.map((it) => it.twoHolders),
      outcomes.map((it) => it.gapMs),
      outcomes.map((it) => it.newMs),
    ]
    const ms = (value: number) => value.toFixed(0)
    const cells = [
      ...[of.what, of.master, of.peer, of.lease ? 'on' : 'off', fault, String(n), ms(most(two))],
      ...[ms(median(gap)), ms(most(gap)), ms(median(fresh)), ms(most(fresh))],
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
    rows.push({ name, fault, n, outcomes })
  }
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/lease.json', `${JSON.stringify(rows, null, 1)}\n`)
