/**
 * vipd and the real keepalived as a pair, each once as the better node, over every kind of wire that both speak.
 * One lab per pairing goes through what can happen to a pair; the counters of bad packets stay at zero.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon, DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { inUserNamespace } from '../../src/lab/namespaces.ts'
import { conf, type Instance, inLab, noErrors, start } from './pair.ts'

type Wire = {
  readonly name: string
  readonly vip: string
  readonly addresses: readonly [string, string]
  /** Longest time in which a take-over after silence must have happened, milliseconds. */
  readonly slowMs: number
  readonly instance: (own: string, peer: string) => Partial<Instance>
}

const v4 = ['172.16.80.2', '172.16.80.3'] as const
const v6 = ['fd00:80::2', 'fd00:80::3'] as const
const unicast = (own: string, peer: string) =>
  `unicast_src_ip ${own}\n  unicast_peer {\n    ${peer}\n  }`
const pass = 'authentication {\n    auth_type PASS\n    auth_pass 1111\n  }'

const wires: readonly Wire[] = [
  {
    name: 'v2 with PASS',
    vip: '172.16.80.100',
    addresses: v4,
    slowMs: 30_000,
    instance: () => ({ version: 2, advertInt: 1, more: pass }),
  },
  {
    name: 'v3 multicast',
    vip: '172.16.80.100',
    addresses: v4,
    slowMs: 30_000,
    instance: () => ({ version: 3 }),
  },
  {
    name: 'v3 unicast',
    vip: '172.16.80.100',
    addresses: v4,
    slowMs: 30_000,
    instance: (own, peer) => ({ version: 3, more: unicast(own, peer) }),
  },
  {
    name: 'IPv6',
    vip: 'fe80::100\n    fd00:80::100',
    addresses: v6,
    slowMs: 30_000,
    instance: () => ({ version: 3 }),
  },
]

const roles: readonly (readonly [DaemonKind, DaemonKind])[] = [
  ['vipd', 'keepalived'],
  ['keepalived', 'vipd'],
]

/** '0' is good. */
const trouble = '/run/lab/trouble'

/**
 * The check of one node. In a user namespace with one user keepalived cannot drop groups before a script, and
 * counts a script that it could not start as a success; there it watches the file itself.
 */
function checkFor(kind: DaemonKind): { readonly before: string; readonly more: string } {
  if (kind === 'keepalived' && inUserNamespace()) {
    const before = `track_file chk {\n  file "${trouble}"\n  weight 0\n}`
    return { before, more: 'track_file {\n    chk\n  }' }
  }
  const before = 'vrrp_script chk {\n  script "/run/lab/chk.sh"\n  interval 1\n}'
  return { before, more: 'track_script {\n    chk\n  }' }
}

class Pair {
  readonly lab: Lab
  readonly wire: Wire
  readonly vip: string
  readonly hosts: readonly [Host, Host]
  readonly #configs: readonly [string, string]
  readonly #kinds: readonly [DaemonKind, DaemonKind]
  readonly daemons: [Daemon, Daemon]

  constructor(
    lab: Lab,
    wire: Wire,
    hosts: readonly [Host, Host],
    kinds: readonly [DaemonKind, DaemonKind],
    priorities: readonly [number, number],
  ) {
    this.lab = lab
    this.wire = wire
    this.vip = wire.vip.split(/\s+/).at(-1) ?? ''
    this.hosts = hosts
    this.#kinds = kinds
    const [a, b] = wire.addresses
    const text = (own: string, peer: string, i: 0 | 1) => {
      const instance = wire.instance(own, peer)
      const { before, more } = checkFor(kinds[i])
      const all = `${instance.more ?? ''}\n  ${more}`
      return conf({ priority: priorities[i], vip: wire.vip, before, ...instance, more: all })
    }
    this.#configs = [text(a, b, 0), text(b, a, 1)]
    this.daemons = [this.start(0), this.start(1)]
  }

  start(i: 0 | 1): Daemon {
    return start(this.#kinds[i], this.hosts[i], this.#configs[i])
  }

  /** Host `i` is master and alone holds the address. */
  async leads(i: 0 | 1): Promise<void> {
    await this.daemons[i].reaches('VI_1', 'MASTER', this.wire.slowMs)
    await this.hosts[i].awaitAddress(this.vip, true, this.wire.slowMs)
  }

  async yields(i: 0 | 1, to: 'BACKUP' | 'FAULT'): Promise<void> {
    await this.daemons[i].reaches('VI_1', to, this.wire.slowMs)
    await this.hosts[i].awaitAddress(this.vip, false, this.wire.slowMs)
  }
}

async function openPair(
  lab: Lab,
  wire: Wire,
  kinds: readonly [DaemonKind, DaemonKind],
  priorities: readonly [number, number],
): Promise<Pair> {
  const length = wire.addresses[0].includes(':') ? 64 : 24
  const open = (name: string, address: string) =>
    lab.host(name, { addresses: { eth0: [`${address}/${length}`] } })
  const hosts = await Promise.all([open('one', wire.addresses[0]), open('two', wire.addresses[1])])
  for (const host of hosts) {
    host.write(trouble, '0\n')
    host.write('/run/lab/chk.sh', `#!/bin/sh\ntest "$(cat ${trouble})" = 0\n`, 0o755)
  }
  return new Pair(lab, wire, hosts, kinds, priorities)
}

describe('a pair with keepalived', { concurrency: 4 }, () => {
  for (const wire of wires) {
    for (const kinds of roles) {
      test(`${wire.name}: ${kinds[0]} before ${kinds[1]}`, () =>
        inLab('interop', async (lab) => {
          const pair = await openPair(lab, wire, kinds, [150, 100])
          await pair.leads(0)
          await pair.yields(1, 'BACKUP')
          await scriptFailure(pair)
          await orderlyStop(pair)
          await crash(pair)
          await noErrors(...pair.daemons)
        }))
    }
  }
  for (const wire of wires) {
    test(`${wire.name}: equal priorities, the higher address keeps`, () =>
      inLab('equal', async (lab) => {
        const pair = await openPair(lab, wire, ['vipd', 'keepalived'], [100, 100])
        await equals(pair)
        await noErrors(...pair.daemons)
      }))
  }
})

/** The better node's check fails: the other takes over. It recovers: the better node takes back. */
async function scriptFailure(pair: Pair): Promise<void> {
  const [better] = pair.hosts
  better.write(trouble, '1\n')
  await pair.leads(1)
  await pair.yields(0, 'FAULT')
  better.write(trouble, '0\n')
  await pair.leads(0)
  await pair.yields(1, 'BACKUP')
}

/** Priority 0 hands over within the skew time, not after three adverts; the better node returns and takes back. */
async function orderlyStop(pair: Pair): Promise<void> {
  const [better] = pair.daemons
  const watch = await pair.lab.capture()
  await watch.advert('the better node advertises', pair.wire.slowMs, (a) => a.priority === 150)
  const exit = await better.stop()
  assert.deepEqual(exit, { status: 0, signal: null })
  assert.equal(await better.host.holds(pair.vip), false, 'stopped, and yet it holds the address')
  await pair.leads(1)
  const zero = await watch.advert('priority 0', 5_000, (a) => a.priority === 0)
  const next = await watch.advert('the heir', 5_000, (a) => a.priority === 100)
  const skewMs = (next.intervalMs * (256 - 100)) / 256
  const tookMs = next.atMs - zero.atMs
  assert.ok(
    tookMs < skewMs + 2 * next.intervalMs,
    `hand-over took ${tookMs} ms, skew is ${skewMs} ms`,
  )
  pair.daemons[0] = pair.start(0)
  await pair.leads(0)
  await pair.yields(1, 'BACKUP')
  await watch.stop()
}

/** The better node falls silent without a word, then is back: one master again, the better one. */
async function crash(pair: Pair): Promise<void> {
  const watch = await pair.lab.capture()
  await watch.advert('the better node advertises', pair.wire.slowMs, (a) => a.priority === 150)
  await pair.lab.cut(pair.hosts[0])
  const last = watch.adverts((a) => a.priority === 150).at(-1)
  await pair.leads(1)
  const first = await watch.advert('the heir', 5_000, (a) => a.priority === 100)
  const downMs = last === undefined ? 0 : last.intervalMs * (3 + (256 - 100) / 256)
  assert.ok(first.atMs - (last?.atMs ?? 0) > downMs - 50, 'took over before the master was down')
  await pair.lab.heal(pair.hosts[0])
  await pair.yields(1, 'BACKUP')
  await pair.leads(0)
  await watch.stop()
}

/** The master stays while both hear each other; after a split the higher address wins. */
async function equals(pair: Pair): Promise<void> {
  const { wire, lab, hosts, daemons } = pair
  await Promise.any([0, 1].map((i) => daemons[i as 0 | 1].reaches('VI_1', 'MASTER', wire.slowMs)))
  await lab.cut(hosts[0])
  await Promise.all([pair.leads(0), pair.leads(1)])
  await lab.heal(hosts[0])
  await pair.yields(0, 'BACKUP')
  assert.equal(daemons[1].state('VI_1'), 'MASTER')
  assert.equal(await hosts[1].holds(pair.vip), true)
}
