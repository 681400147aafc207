/**
 * vipd and FRR's vrrpd as a pair, each once as the better node, in version 2 and 3, IPv4 and IPv6. A client on the
 * segment says who answers for the address: the MAC in its neighbour table is FRR's virtual one or vipd's interface's; with
 * use_vmac it is the virtual one whichever router leads.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab, noErrors, start } from '../e2e/pair.ts'
import { Frr } from './frr.ts'

type Wire = {
  readonly name: string
  readonly version: 2 | 3
  /** vipd has a virtual MAC address too. */
  readonly vmac?: true
  readonly intervalMs: number
  /** With prefix length; the last is the one that the client asks for. */
  readonly vips: readonly string[]
  readonly addresses: readonly [string, string, string]
}

const v4 = ['10.80.0.1/24', '10.80.0.2/24', '10.80.0.9/24'] as const
const v6 = ['fd80::1/64', 'fd80::2/64', 'fd80::9/64'] as const
const plain: readonly Wire[] = [
  { name: 'v2', version: 2, intervalMs: 1_000, vips: ['10.80.0.100/24'], addresses: v4 },
  { name: 'v3', version: 3, intervalMs: 200, vips: ['10.80.0.100/24'], addresses: v4 },
  {
    name: 'IPv6',
    version: 3,
    intervalMs: 200,
    vips: ['fe80::100/64', 'fd80::100/64'],
    addresses: v6,
  },
]

const wires: readonly Wire[] = [
  ...plain,
  ...plain.map((wire) => ({ ...wire, name: `${wire.name}, use_vmac`, vmac: true }) as const),
]

const vrid = 51
const slowMs = 40_000

/** The two routers and the client, with one way to say "this one is master". */
class Segment {
  readonly #lab: Lab
  readonly #client: Host
  readonly #wire: Wire
  readonly vipd: { daemon: Daemon; readonly host: Host; readonly start: () => Daemon }
  readonly frr: Frr

  private constructor(lab: Lab, client: Host, wire: Wire, vipd: Segment['vipd'], frr: Frr) {
    this.#lab = lab
    this.#client = client
    this.#wire = wire
    this.vipd = vipd
    this.frr = frr
  }

  static async open(lab: Lab, wire: Wire, better: 'vipd' | 'frr'): Promise<Segment> {
    const open = (name: string, address: string) =>
      lab.host(name, { addresses: { eth0: [address] } })
    const [ours, theirs, client] = wire.addresses
    const [one, two, asks] = [
      await open('one', ours),
      await open('two', theirs),
      await open('asks', client),
    ]
    const [own, peers] = better === 'vipd' ? [150, 100] : [100, 150]
    const { version, intervalMs, vips, vmac = false } = wire
    const text = conf({
      version,
      priority: own,
      advertInt: intervalMs / 1_000,
      vip: vips.join('\n    '),
      more: vmac ? 'use_vmac' : '',
    })
    const begin = () => start('vipd', one, text)
    const daemon = begin()
    const frr = await Frr.start(two, {
      version,
      vrid,
      priority: peers,
      intervalMs,
      addresses: vips,
    })
    return new Segment(lab, asks, wire, { daemon, host: one, start: begin }, frr)
  }

  /** That router is master, the other is not, and the client reaches the address there. */
  async leads(which: 'vipd' | 'frr', otherIs: 'backup' | 'silent' = 'backup'): Promise<void> {
    if (which === 'vipd') {
      await this.vipd.daemon.reaches('VI_1', 'MASTER', slowMs)
      if (otherIs === 'backup') await this.frr.reaches('Backup', slowMs)
    } else {
      await this.frr.reaches('Master', slowMs)
      if (otherIs === 'backup') await this.vipd.daemon.reaches('VI_1', 'BACKUP', slowMs)
    }
    await this.answers(which)
  }

  async answers(which: 'vipd' | 'frr'): Promise<void> {
    const vip = this.#wire.vips.at(-1)?.split('/')[0] ?? ''
    const six = vip.includes(':')
    const virtual = `00:00:5e:00:0${six ? 2 : 1}:33`
    const isVirtual = which === 'frr' || this.#wire.vmac === true
    const mac = isVirtual ? virtual : this.#lab.mac(this.vipd.host)
    await until(`the client reaches ${vip} at ${which} (${mac})`, slowMs, async () => {
      // A closed port: a host that has the address refuses the connection.
      const asks = ['5', 'bash', '-c', `exec 3<>/dev/tcp/${vip}/9`]
      const refused = (await this.#client.run('timeout', asks)).stderr.includes('refused')
      const known = await this.#client.must('ip', ['neigh', 'show', 'to', vip])
      return refused && known.includes(mac)
    })
  }

  host(which: 'vipd' | 'frr'): Host {
    return which === 'vipd' ? this.vipd.host : this.frr.host
  }

  async stop(which: 'vipd' | 'frr'): Promise<void> {
    if (which === 'frr') return this.frr.stop()
    assert.deepEqual(await this.vipd.daemon.stop(), { status: 0, signal: null })
  }

  restart(which: 'vipd' | 'frr'): void {
    if (which === 'frr') this.frr.restart()
    else this.vipd.daemon = this.vipd.start()
  }
}

describe('a pair with FRR', { concurrency: 2 }, () => {
  for (const wire of wires) {
    for (const better of ['vipd', 'frr'] as const) {
      const worse = better === 'vipd' ? 'frr' : 'vipd'
      test(`${wire.name}: ${better} before ${worse}`, () =>
        inLab('frr', async (lab) => {
          const segment = await Segment.open(lab, wire, better)
          await segment.leads(better)
          await segment.stop(better)
          await segment.leads(worse, 'silent')
          segment.restart(better)
          await segment.leads(better)
          await lab.cut(segment.host(better))
          await segment.leads(worse, 'silent')
          await lab.heal(segment.host(better))
          await segment.leads(better)
          await noErrors(segment.vipd.daemon)
          const shown = await segment.frr.shown()
          assert.ok((shown?.stats.adverRx ?? 0) > 0, 'FRR counted no advert of vipd')
        }))
    }
  }
})
