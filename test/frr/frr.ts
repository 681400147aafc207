/**
 * FRR's vrrpd in a host of the lab. It owns a macvlan with the virtual MAC on which the virtual addresses always are,
 * and puts that link up as master and down as backup: who answers for an address is asked of a client, not of `ip addr`.
 */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'
import { askFrr, startFrr, startZebra } from './zebra.ts'

export type Virtual = {
  readonly version: 2 | 3
  readonly vrid: number
  readonly priority: number
  /** Milliseconds; version 2: whole seconds. */
  readonly intervalMs: number
  /** With prefix length, all of one family. */
  readonly addresses: readonly string[]
}

/** Of one family, as `show vrrp json` says it. */
type Shown = {
  readonly status: string
  readonly stats: {
    readonly adverRx: number
    readonly adverTx: number
    readonly transitions: number
  }
}

export class Frr {
  readonly host: Host
  readonly #virtual: Virtual
  readonly #zebra: Child
  #vrrpd: Child

  private constructor(host: Host, virtual: Virtual, zebra: Child) {
    this.host = host
    this.#virtual = virtual
    this.#zebra = zebra
    this.#vrrpd = this.#spawn()
  }

  /** Makes the macvlan and starts both daemons. Needs root: FRR becomes a user of its own. */
  static async start(host: Host, virtual: Virtual): Promise<Frr> {
    const six = isSix(virtual)
    const octet = virtual.vrid.toString(16).padStart(2, '0')
    const mac = `00:00:5e:00:0${six ? 2 : 1}:${octet}`
    const link = `vrrp${six ? 6 : 4}-${virtual.vrid}`
    const macvlan = ['type', 'macvlan', 'mode', 'bridge']
    await host.must('ip', ['link', 'add', link, 'link', 'eth0', 'address', mac, ...macvlan])
    for (const address of virtual.addresses)
      await host.must('ip', ['address', 'add', address, 'dev', link, ...(six ? ['nodad'] : [])])
    await host.must('ip', ['link', 'set', link, 'up'])
    // Without them eth0 answers for the addresses of the macvlan, as backup too.
    for (const name of ['arp_ignore=1', 'arp_announce=2'])
      await host.must('sysctl', ['-qw', `net.ipv4.conf.eth0.${name}`])
    return new Frr(host, virtual, await startZebra(host))
  }

  async shown(): Promise<Shown | null> {
    const shown = await askFrr(this.host, 'show vrrp json')
    if (shown === null) return null
    const [router] = JSON.parse(shown) as readonly Record<'v4' | 'v6', Shown>[]
    return router?.[isSix(this.#virtual) ? 'v6' : 'v4'] ?? null
  }

  /** 'Master', 'Backup' or 'Initialize'. */
  async reaches(status: string, timeoutMs: number): Promise<void> {
    const what = `FRR on ${this.host.name} is ${status}`
    await until(what, timeoutMs, async () => (await this.shown())?.status === status)
  }

  /** Orderly: priority 0 goes out. zebra goes on. */
  async stop(): Promise<void> {
    await this.#vrrpd.stop(10_000)
  }

  restart(): void {
    this.#vrrpd = this.#spawn()
  }

  get text(): string {
    return `${this.#zebra.text}\n${this.#vrrpd.text}`
  }

  #spawn(): Child {
    return startFrr(this.host, 'vrrpd', `log stdout\n${configuration(this.#virtual)}`)
  }
}

const isSix = ({ addresses }: Virtual): boolean => addresses.some((each) => each.includes(':'))

function configuration({ version, vrid, priority, intervalMs, addresses }: Virtual): string {
  const vrrp = (words: string) => ` vrrp ${vrid} ${words}`
  return [
    'interface eth0',
    vrrp(`version ${version}`),
    vrrp(`priority ${priority}`),
    vrrp(`advertisement-interval ${intervalMs}`),
    ...addresses
      .map((each) => each.split('/')[0] ?? '')
      .map((address) => vrrp(`${address.includes(':') ? 'ipv6' : 'ip'} ${address}`)),
    '',
  ].join('\n')
}
