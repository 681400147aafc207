/** The kernel lease: the rules, and the table that stays as it was made. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { us } from '../../../src/base/time.ts'
import type { Globals, Instance } from '../../../src/config/types.ts'
import { KernelLease } from '../../../src/daemon/kernel-lease.ts'
import { LeaseWatch } from '../../../src/daemon/lease-watch.ts'
import type { Errands } from '../../../src/kernel/errands.ts'
import type { Errand } from '../../../src/kernel/errands-thread.ts'
import {
  type LeasedInstance,
  leaseId,
  leaseRules,
  leaseScript,
  leaseSets,
  type Standing,
} from '../../../src/kernel/lease-rules.ts'
import { isLeased, leasedInstance } from '../../../src/router/binding/kernel-lease.ts'
import type { SocketKey } from '../../../src/router/binding/sockets.ts'
import type { Table } from '../../../src/wire/nftables.ts'
import { address, instance, ip, kernelOf, link, virtualAddress } from '../router/facts.ts'

const tickUs = us(4_000)
const eth0 = link(3, 'eth0')
const eth1 = link(4, 'eth1')
const own = address(3, '10.99.0.1')
const kernel = kernelOf([link(1, 'lo', { mac: null }), eth0, eth1], [own])
const vip = virtualAddress('10.99.0.100', { prefixLength: 24 })
const cfg = instance({
  version: 3,
  vrid: 51,
  advertIntervalUs: us(100_000),
  addressLifetimeSeconds: 8,
  addresses: [vip],
})

function leased(of: Instance, at = kernel): LeasedInstance {
  const virtual = new Set([...of.addresses, ...of.excluded].map((it) => it.address))
  const found = leasedInstance(of, at, virtual, tickUs)
  assert(found !== null && isLeased(found), JSON.stringify(found))
  return found
}

const id = (name: string) => Buffer.from(leaseId(name)).toString('hex')
const chain = (of: LeasedInstance, name: RegExp) =>
  leaseRules([of]).chains.find((it) => name.test(it.name))?.rules

test('the lease is down_timer_adverts intervals in whole ticks, the gate outlasts the addresses', () => {
  const { leaseUs, guardSeconds, device, source, destinations } = leased(cfg)
  assert.deepEqual([leaseUs, guardSeconds, device, source], [300_000, 11, 'eth0', '10.99.0.1'])
  assert.deepEqual(destinations, ['224.0.0.18'])
  const odd = leased({ ...cfg, advertIntervalUs: us(110_000) })
  assert.equal(odd.leaseUs, 328_000, '330 ms are 82 ticks and a half')
  assert.equal(leased({ ...cfg, downTimerAdverts: 5 }).leaseUs, 500_000)
  assert.equal(leased({ ...cfg, addressLifetimeSeconds: 0 }).guardSeconds, 63)
})

test('what cannot have one says why', () => {
  const why = (of: Instance, at = kernel) => {
    const found = leasedInstance(of, at, new Set([vip.address]), tickUs)
    return found === null || isLeased(found) ? null : found.why
  }
  assert.match(why({ ...cfg, priority: 255 }) ?? '', /owner/)
  assert.match(
    why({ ...cfg, advertIntervalUs: us(2_000) }) ?? '',
    /advert_int is too short .* 4 ms/,
  )
  const tun = kernelOf([link(3, 'eth0', { mac: null })], [own])
  assert.match(why(cfg, tun) ?? '', /eth0 is no Ethernet interface/)
  const source = ip('10.99.0.1')
  const transport = {
    ...({ kind: 'unicast', source, ttl: null, checkSource: true, faultNoPeer: false } as const),
    peers: [{ address: ip('10.99.0.2'), minTtl: 0, maxTtl: 255 }],
  }
  assert.match(why({ ...cfg, interface: null, transport }) ?? '', /routing decides/)
  assert.equal(
    leasedInstance(cfg, kernelOf([], []), new Set(), tickUs),
    null,
    'no interface: a fault',
  )
})

test('adverts of one instance renew, by where they come from and go to; a note opens, mutes and ends', () => {
  const it = leased(cfg)
  const x = id(cfg.name)
  const { lead, live, gate } = leaseSets(cfg.name)
  assert.deepEqual([lead, live, gate], [`lead_${x}`, `live_${x}`, `gate_${x}`])
  const one = 'meta mark & 0'
  const update = (set: string, time: string) => `update @${set} { ${one} timeout ${time} }`
  assert.deepEqual(chain(it, /^vrid_/), [
    `ip saddr 10.99.0.1 ip daddr { 224.0.0.18 } goto advert_${x}`,
  ])
  assert.deepEqual(chain(it, /^advert_/), [
    `@th,16,8 0 goto resign_${x}`,
    `${one} @${lead} goto renew_${x}`,
    `${one} @${gate} drop`,
  ])
  assert.deepEqual(chain(it, /^renew_/), [
    ...[update(lead, '300ms'), update(live, '300ms'), update(gate, '11s'), 'accept'],
  ])
  assert.deepEqual(chain(it, /^open_/), [update(lead, '300ms'), update(gate, '11s'), 'drop'])
  assert.deepEqual(chain(it, /^notes$/)?.slice(1), [
    `@ll,144,56 vmap { 0x01${x} : goto open_${x}, 0x02${x} : goto mute_${x}, 0x03${x} : goto end_${x} }`,
    'drop',
  ])
  const check = `goto check_${x}`
  assert.deepEqual(chain(it, /^in_/), [
    `ip daddr 10.99.0.100 ${check}`,
    `arp daddr ip 10.99.0.100 ${check}`,
  ])
  assert.deepEqual(chain(it, /^check_/), [`${one} @${live} accept`, `${one} @${gate} drop`])
  const three = ['10.99.0.100', '10.99.0.101', '10.99.0.102']
  const many = leased({ ...cfg, addresses: three.map((one) => ({ ...vip, address: ip(one) })) })
  const map = `{ ${three.map((one) => `${one} : ${check}`).join(', ')} }`
  assert.deepEqual(chain(many, /^in_/), [`ip daddr vmap ${map}`, `arp daddr ip vmap ${map}`])
})

test('IPv6, link-local on its interface alone, a virtual MAC address, AH, and an address on loopback', () => {
  const check = `goto check_${id(cfg.name)}`
  const six = leased(
    instance({
      ...{ family: 6, version: 3, vrid: 6, advertIntervalUs: us(100_000) },
      transport: { kind: 'multicast', group: ip('ff02::12'), source: null },
      addresses: [virtualAddress('fe80::100'), virtualAddress('fd00::100')],
      excluded: [virtualAddress('10.98.0.100', { interface: 'eth1' })],
    }),
    kernelOf([eth0, eth1], [address(3, 'fe80::1')]),
  )
  assert.deepEqual(
    [...six.devices],
    [
      ['eth0', 3],
      ['eth1', 4],
    ],
  )
  const { chains } = leaseRules([six])
  const [first, second] = chains.filter(({ name }) => name.startsWith('in_'))
  assert.deepEqual(first?.rules, [
    `ip daddr 10.98.0.100 ${check}`,
    `arp daddr ip 10.98.0.100 ${check}`,
    `ip6 daddr fe80::100 ${check}`,
    `ip6 daddr fd00::100 ${check}`,
    `icmpv6 type nd-neighbor-solicit @nh,384,128 0xfe800000000000000000000000000100 ${check}`,
    `icmpv6 type nd-neighbor-solicit @nh,384,128 0xfd000000000000000000000000000100 ${check}`,
  ])
  assert.match(second?.hook ?? '', /hook ingress device "eth1" priority -300/)
  assert.deepEqual(second?.rules[2], `ip6 daddr fd00::100 ${check}`)
  const mac = '00:00:5e:00:01:33'
  const macvlan = { kind: 'macvlan', name: 'vrrp.51', base: 'eth0', mac, ipv6: false, group: null }
  const ah = leased({ ...cfg, ahKey: new Uint8Array(8), virtualLinks: [macvlan as never] })
  assert.deepEqual(chain(ah, /^in_/)?.at(-1), `ether daddr ${mac} ${check}`)
  assert.match(chain(ah, /^out_/)?.join('\n') ?? '', /ip protocol 51 @th,200,8 vmap \{ 51 : jump/)
  assert.match(chain(ah, /^advert_/)?.[0] ?? '', /^@th,208,8 0 goto/)
  const lo = link(1, 'lo', { mac: null })
  const served = leased(cfg, kernelOf([lo, eth0], [own, address(1, '10.99.0.100')]))
  assert.deepEqual(chain(served, /^in_/), [`arp daddr ip 10.99.0.100 ${check}`])
  const foreign = leased(cfg, kernelOf([eth0], [own, address(3, '10.99.0.100')]))
  assert.deepEqual(chain(foreign, /^in_/), [], 'what another program has set is its own')
})

test('new rules leave what stands in the sets, and take away chains and sets that are not wanted', () => {
  const rules = leaseRules([leased(cfg)])
  const { live } = leaseSets(cfg.name)
  const standing = { chains: ['notes', 'check_old'], sets: [live, 'live_old'] }
  const text = leaseScript('vipd_lease_1', rules, standing)
  const head = 'add table netdev vipd_lease_1\nflush table netdev vipd_lease_1\n'
  const removed = [
    'delete chain netdev vipd_lease_1 check_old',
    'delete set netdev vipd_lease_1 live_old',
  ]
  assert.ok(text.startsWith(`${head}${removed.join('\n')}\n`), text)
  assert.equal(text.match(/^delete/gm)?.length, 2)
  assert.equal(text.match(/^add rule/gm)?.length, rules.count)
})

/** A kernel with the lease's table, and nft runs that take effect at once. */
class Host {
  rules = 0
  mark = 0
  runs: string[] = []
  standing: Standing = { chains: [], sets: [] }
  heard: () => void = () => undefined
  /** How often the rules were written out: what takes longest with many instances. */
  written = 0
  /** nft fails, and says this. */
  refuses: string | null = null
  readonly changes: (readonly string[])[] = []
  readonly log: string[] = []
  readonly lease: KernelLease

  constructor(standing: Standing = { chains: [], sets: [] }) {
    this.standing = standing
    const say = (text: string) => void this.log.push(text)
    const none = () => undefined
    this.lease = new KernelLease({
      table: this.#table,
      log: { debug: none, info: say, warn: say, error: say, flush: async () => undefined },
      errands: { run: (async (errand: Errand) => this.#nft(errand)) as Errands['run'] },
      kernel,
      tickUs,
      look: () => ({ rules: this.rules, mark: String(this.mark) }),
      names: () => this.standing,
      elements: () => 1,
      news: (onChange) => {
        this.heard = onChange
        return { listen: () => null, close: () => null }
      },
      changed: (names) => void this.changes.push([...names]),
      leading: () => [],
      lapsed: none,
    })
  }

  get #table(): Table {
    const count = () => {
      this.written++
    }
    return {
      family: 'netdev',
      get name() {
        count()
        return 'vipd_lease_1'
      },
    }
  }

  #nft(errand: Errand): string {
    if (errand.kind !== 'nft') return ''
    if (this.refuses !== null) throw new OpError('nft', 'EXIT_1', this.refuses)
    this.runs.push(errand.input)
    this.rules = errand.input.match(/^add rule/gm)?.length ?? 0
    this.mark++
    return ''
  }
}

const globals = (kernelLease: Globals['kernelLease']) => ({ kernelLease }) as Globals
const key = { source: ip('10.99.0.1'), ifindex: 3 } as SocketKey

test('an instance is told of its lease while the table stands, and not while it does not', async () => {
  const host = new Host()
  const { lease } = host
  lease.begin({ globals: globals('on'), instances: [cfg] })
  assert.equal(lease.of(cfg, key), null, 'not before it is made')
  await lease.settled(60_000)
  assert.deepEqual(host.changes, [[cfg.name]])
  assert.deepEqual(lease.of(cfg, key), { id: leaseId(cfg.name), ifindex: 3, leastUs: 296_000 })
  assert.equal(
    lease.of(cfg, { ...key, source: ip('10.99.0.9') }),
    null,
    'adverts of another source',
  )
  assert.deepEqual(lease.status(cfg.name, true), { state: 'answers', leaseMs: 300, why: null })
  // nft flush ruleset by another program.
  host.rules = 0
  host.mark++
  host.heard()
  assert.equal(lease.of(cfg, key), null)
  assert.equal(lease.status(cfg.name, true)?.state, 'missing')
  await lease.settled(60_000)
  assert.notEqual(lease.of(cfg, key), null)
  assert.equal(host.runs.length, 2)
  assert.match(host.log.join(), /another program has removed the nft table vipd_lease_1: put back/)
  lease.clear()
  await lease.settled(60_000)
  assert.equal(lease.of(cfg, key), null)
  assert.match(host.runs.at(-1) ?? '', /^delete table netdev vipd_lease_1$/m)
})

test('a reload to longer intervals has the longer lease before the instance is altered', async () => {
  const { lease, runs } = new Host()
  const slow = { ...cfg, advertIntervalUs: us(1_000_000) }
  lease.begin({ globals: globals('on'), instances: [cfg] })
  await lease.settled(60_000)
  assert.equal(lease.of(slow, key), null, 'its adverts would come later than the lease allows')
  lease.prepare({ globals: globals('on'), instances: [slow] })
  await lease.settled(60_000)
  assert.equal(lease.of(cfg, key)?.leastUs, 296_000)
  assert.equal(lease.of(slow, key)?.leastUs, 2_996_000)
  // The reload sets an address, which is told before it has ended.
  lease.kernelChanged()
  await lease.settled(60_000)
  assert.equal(lease.of(slow, key)?.leastUs, 2_996_000)
  lease.set({ globals: globals('on'), instances: [slow] })
  await lease.settled(60_000)
  assert.equal(runs.length, 2, 'nothing new')
  lease.prepare({ globals: globals('on'), instances: [cfg] })
  lease.set({ globals: globals('on'), instances: [cfg] })
  await lease.settled(60_000)
  assert.match(runs.at(-1) ?? '', /timeout 300ms/)
})

test('a table that an earlier daemon left stays until the instances take part, and goes if it is not wanted', async () => {
  const left = { chains: ['notes'], sets: ['gate_0'] }
  const { lease, runs } = new Host(left)
  lease.begin({ globals: globals('off'), instances: [cfg] })
  await lease.settled(60_000)
  assert.deepEqual(runs, [])
  lease.set({ globals: globals('off'), instances: [cfg] })
  await lease.settled(60_000)
  assert.equal(runs.length, 1)
  const wanted = new Host(left)
  wanted.lease.begin({ globals: globals('on'), instances: [cfg] })
  await wanted.lease.settled(60_000)
  assert.match(wanted.runs[0] ?? '', /^delete set netdev vipd_lease_1 gate_0$/m)
  const never = new Host()
  never.lease.begin({ globals: globals('off'), instances: [cfg] })
  never.lease.set({ globals: globals('off'), instances: [cfg] })
  await never.lease.settled(60_000)
  assert.deepEqual(never.runs, [], 'without the keyword nft is never run')
})

test('a master whose adverts another rule dropped is told to the kernel again, but not after a sleep', () => {
  let nowMs = 0
  const lapsed = new Set(['HA_1'])
  const told: string[][] = []
  const watch = new LeaseWatch({
    leading: () => ['HA_1', 'HA_2'],
    hasLapsed: (name) => lapsed.has(name),
    lapsed: (names) => void told.push([...names]),
    nowMs: () => nowMs,
  })
  const look = (afterMs: number) => {
    nowMs += afterMs
    watch.look()
  }
  look(500)
  assert.deepEqual(told, [], 'one look proves nothing')
  look(500)
  assert.deepEqual(told, [['HA_1']])
  look(500)
  look(4_000)
  assert.equal(told.length, 1, 'the process stood still between the two looks')
  look(500)
  assert.equal(told.length, 2)
  lapsed.clear()
  look(500)
  look(500)
  assert.equal(told.length, 2)
})

test('a change in the kernel that changes no lease writes no rules', async () => {
  const host = new Host()
  host.lease.begin({ globals: globals('on'), instances: [cfg] })
  await host.lease.settled(60_000)
  const { written } = host
  host.lease.kernelChanged()
  host.lease.set({ globals: globals('on'), instances: [{ ...cfg, nothing: 1 } as Instance] })
  assert.equal(host.written, written)
  assert.equal(
    host.lease.snapshot()?.applied?.key.length,
    64,
    'a digest of the rules, not their text',
  )
  assert.equal(host.runs.length, 1)
})

test('a kernel without the hook: `on` says so and what it takes, `auto` is silent', async () => {
  const says = async (mode: 'on' | 'auto') => {
    const host = new Host()
    host.refuses = 'Error: Could not process rule: Operation not supported'
    host.lease.begin({ globals: globals(mode), instances: [cfg] })
    await host.lease.settled(60_000)
    const { state, why } = host.lease.status(cfg.name, true) ?? {}
    assert.equal(state, 'missing')
    assert.match(why ?? '', /not supported\): the kernel must have the egress hook \(Linux 5\.16/)
    return [...host.log, ...host.lease.warnings]
  }
  assert.deepEqual(await says('auto'), [])
  const said = await says('on')
  assert.equal(said.length, 2)
  for (const each of said)
    assert.match(each, /^the kernel lease is not in force: nft: EXIT_1 .*5\.16/)
})
