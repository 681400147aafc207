import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFault } from '../../../src/election/describe.ts'
import { addressFacts, resolveInterface } from '../../../src/router/binding/interface-resolution.ts'
import { address, instance, ip, kernelOf, link, virtualAddress } from './facts.ts'

const vip = new Set([ip('172.16.80.100')])

test('an interface that is up with an address carries the instance', () => {
  const kernel = kernelOf([link(3, 'eth0')], [address(3, '172.16.80.2')])
  const resolution = resolveInterface(instance(), kernel, vip)
  assert.ok(resolution.ok)
  assert.deepEqual(resolution.key, {
    family: 4,
    ah: false,
    interface: 'eth0',
    ifindex: 3,
    receiveOnAny: false,
    source: '172.16.80.2',
    group: '224.0.0.18',
    ttl: 255,
    receiveBufferBytes: null,
  })
})

test('missing and down interfaces are faults with their names', () => {
  const missing = resolveInterface(instance(), kernelOf([], []), vip)
  assert.deepEqual(missing, {
    ok: false,
    faults: [{ kind: 'link', interface: 'eth0', why: 'missing' }],
  })
  const down = kernelOf([link(3, 'eth0', { up: false })], [address(3, '172.16.80.2')])
  assert.deepEqual(resolveInterface(instance(), down, vip), {
    ok: false,
    faults: [{ kind: 'link', interface: 'eth0', why: 'down' }],
  })
})

test('dont_track_primary: an interface that is down does not fault the instance', () => {
  const down = kernelOf([link(3, 'eth0', { up: false })], [address(3, '172.16.80.2')])
  assert.ok(resolveInterface(instance({ trackPrimary: false }), down, vip).ok)
})

test('an address that a dead predecessor left is never the source', () => {
  const only = kernelOf([link(3, 'eth0')], [address(3, '172.16.80.100', { ours: true })])
  assert.deepEqual(resolveInterface(instance(), only, vip), {
    ok: false,
    faults: [{ kind: 'source', interface: 'eth0', wanted: 'an IPv4 address that is not virtual' }],
  })
})

test('IPv6 speaks from a link-local address that has passed duplicate detection', () => {
  const cfg = instance({
    family: 6,
    version: 3,
    transport: { kind: 'multicast', group: ip('ff02::12'), source: null },
    addresses: [virtualAddress('2001:db8::100', { prefixLength: 128 })],
  })
  const tentative = kernelOf(
    [link(3, 'eth0')],
    [address(3, '2001:db8::2'), address(3, 'fe80::2', { tentative: true })],
  )
  assert.equal(resolveInterface(cfg, tentative, vip).ok, false)
  const ready = kernelOf([link(3, 'eth0')], [address(3, '2001:db8::2'), address(3, 'fe80::2')])
  const resolution = resolveInterface(cfg, ready, vip)
  assert.ok(resolution.ok)
  assert.equal(resolution.key.source, 'fe80::2')
})

test('unicast: the configured source must be on the interface; no peers is a fault', () => {
  const transport = {
    kind: 'unicast',
    source: ip('172.16.80.2'),
    peers: [{ address: ip('172.16.80.3'), minTtl: 0, maxTtl: 255 }],
    ttl: null,
    checkSource: false,
    faultNoPeer: false,
  } as const
  const kernel = kernelOf([link(3, 'eth0')], [address(3, '172.16.80.2')])
  const resolution = resolveInterface(instance({ transport, interface: null }), kernel, vip)
  assert.ok(resolution.ok)
  assert.equal(resolution.key.group, null)
  assert.equal(resolution.key.ifindex, 0)
  const elsewhere = kernelOf([link(3, 'eth0')], [address(3, '172.16.80.9')])
  assert.equal(resolveInterface(instance({ transport }), elsewhere, vip).ok, false)
  const lonely = instance({ transport: { ...transport, peers: [] } })
  assert.deepEqual(resolveInterface(lonely, kernel, vip), {
    ok: false,
    faults: [{ kind: 'no-peer' }],
  })
})

test('addresses go on their own dev; one without Ethernet address is not announced', () => {
  const kernel = kernelOf([link(3, 'eth0'), link(4, 'tun0', { noarp: true })], [])
  const cfg = instance({
    addresses: [virtualAddress('172.16.80.100'), virtualAddress('10.0.0.9', { interface: 'tun0' })],
    excluded: [virtualAddress('10.0.0.10', { interface: 'absent' })],
  })
  const facts = addressFacts(cfg, link(3, 'eth0'), kernel)
  assert.deepEqual(
    facts.map((a) => [a.address, a.ifindex, a.mac !== null, a.advertised]),
    [
      ['172.16.80.100', 3, true, true],
      ['10.0.0.9', 4, false, true],
    ],
  )
})

const elsewhere = kernelOf(
  [link(1, 'lo', { mac: null }), link(3, 'eth0')],
  [
    address(1, '10.50.0.1'),
    address(3, '172.16.80.2'),
    address(3, 'fe80::3'),
    address(1, 'fd00::1'),
  ],
)
const peers = (text: string) => [{ address: ip(text), minTtl: 0, maxTtl: 255 }]

test('a configured unicast source may be on another interface; it receives from any then', () => {
  const transport = {
    kind: 'unicast',
    source: ip('10.50.0.1'),
    peers: peers('10.50.0.2'),
    ttl: null,
    checkSource: false,
    faultNoPeer: false,
  } as const
  const resolution = resolveInterface(instance({ transport }), elsewhere, vip)
  assert.ok(resolution.ok)
  const { interface: bound, receiveOnAny, source } = resolution.key
  assert.deepEqual([bound, receiveOnAny, source], ['eth0', true, '10.50.0.1'])
  assert.deepEqual([resolution.primary.name, resolution.sourceLink.name], ['eth0', 'lo'])
  const six = { ...transport, source: ip('fd00::1'), peers: peers('fd00::2') }
  const sixth = resolveInterface(
    instance({ transport: six, family: 6, version: 3 }),
    elsewhere,
    vip,
  )
  assert.ok(sixth.ok)
  assert.deepEqual([sixth.key.interface, sixth.key.receiveOnAny], ['eth0', true])
})

test('a multicast source may be on another interface, too; its sockets stay bound to the instance’s', () => {
  const transport = { kind: 'multicast', group: ip('224.0.0.18'), source: ip('10.50.0.1') } as const
  const resolution = resolveInterface(instance({ transport }), elsewhere, vip)
  assert.ok(resolution.ok)
  const { interface: bound, receiveOnAny, source } = resolution.key
  assert.deepEqual([bound, receiveOnAny, source], ['eth0', false, '10.50.0.1'])
})

test('a link-local source counts on its own interface only', () => {
  const transport = { kind: 'multicast', group: ip('ff02::12'), source: ip('fe80::3') } as const
  const kernel = kernelOf([link(3, 'eth0'), link(4, 'eth1')], [address(4, 'fe80::3')])
  assert.equal(
    resolveInterface(instance({ transport, family: 6, version: 3 }), kernel, vip).ok,
    false,
  )
})

test('5.2.4: without another address the owner sends from its own, and a leftover is never a source', () => {
  const owner = instance({ priority: 255 })
  const source = (...held: ReturnType<typeof address>[]) => {
    const resolution = resolveInterface(owner, kernelOf([link(3, 'eth0')], held), vip)
    return resolution.ok ? resolution.key.source : resolution.faults[0]?.kind
  }
  const own = address(3, '172.16.80.100')
  assert.equal(source(own), '172.16.80.100')
  assert.equal(source(own, address(3, '172.16.80.2')), '172.16.80.2')
  assert.equal(source({ ...own, ours: true, protocol: 112 }), 'source', 'left by a vipd')
  assert.equal(source({ ...own, protocol: 18 }), 'source', 'left by keepalived')
})

test('the fault names the source that was wanted, and why it is none', () => {
  const wants = (source: string, held: Parameters<typeof kernelOf>[1]): string => {
    const transport = { kind: 'multicast', group: ip('ff02::12'), source: ip(source) } as const
    const cfg = instance({ family: 6, version: 3, transport })
    const resolution = resolveInterface(
      cfg,
      kernelOf([link(3, 'eth0'), link(4, 'eth1')], held),
      vip,
    )
    assert.ok(!resolution.ok)
    return resolution.faults.map(describeFault).join()
  }
  const said = (wanted: string) => `no source address on eth0 (wanted: ${wanted})`
  assert.equal(wants('fe80::9', []), said('fe80::9'))
  assert.equal(wants('fe80::9', [address(4, 'fe80::9')]), said('fe80::9, which is on eth1'))
  const duplicate = address(3, 'fe80::9', { tentative: true, duplicate: true })
  assert.equal(wants('fe80::9', [duplicate]), said("fe80::9, a duplicate of another host's"))
  const tentative = address(3, 'fe80::9', { tentative: true })
  assert.equal(wants('fe80::9', [tentative]), said('fe80::9, which is tentative'))
})

test('an ipvlan carries the adverts, the interface below the addresses', () => {
  const cfg = instance({ ipvlan: 'vrrp.51' })
  const links = [link(3, 'eth0'), link(5, 'vrrp.51', { kind: 'ipvlan', below: 3 })]
  const kernel = kernelOf(links, [address(3, '172.16.80.2'), address(5, '172.16.80.51')])
  const resolution = resolveInterface(cfg, kernel, vip)
  assert.ok(resolution.ok)
  const { key, primary } = resolution
  assert.deepEqual([key.interface, key.ifindex, key.source], ['vrrp.51', 5, '172.16.80.51'])
  assert.deepEqual(
    addressFacts(cfg, primary, kernel).map(({ interface: name, ifindex }) => [name, ifindex]),
    [['eth0', 3]],
  )
  const missing = (known: readonly ReturnType<typeof link>[]) => {
    const found = resolveInterface(cfg, kernelOf(known, []), vip)
    return found.ok ? [] : found.faults.map(describeFault)
  }
  assert.match(missing([])[0] ?? '', /eth0/)
  assert.match(missing([link(3, 'eth0')])[0] ?? '', /vrrp\.51/)
})

test('vrf: the source is the one in the VRF, and the sockets are the VRF’s; an address of another counts for none', () => {
  const source = ip('172.16.80.2')
  const transport = {
    kind: 'unicast',
    source,
    peers: [{ address: ip('172.16.80.3'), minTtl: 255, maxTtl: 255 }],
    ttl: null,
    checkSource: false,
    faultNoPeer: false,
  } as const
  const red = link(2, 'red', { kind: 'vrf', vrfTable: 100 })
  const links = [red, link(3, 'eth0'), link(4, 'eth1', { master: 2 })]
  const twice = [address(3, '172.16.80.2'), address(4, '172.16.80.2')]
  const resolve = (vrf: string | null, held = twice, known = links) => {
    const cfg = instance({ interface: null, vrf, transport })
    const found = resolveInterface(cfg, kernelOf(known, held), vip)
    return found.ok
      ? [found.primary.name, found.key.interface, found.key.ifindex]
      : found.faults.map(describeFault)
  }
  assert.deepEqual(resolve('red'), ['eth1', 'red', 0])
  assert.deepEqual(resolve(null), ['eth0', '', 0])
  assert.match(String(resolve('red', twice.slice(0, 1))[0]), /172\.16\.80\.2 in the VRF red/)
  assert.match(String(resolve('red', twice, links.slice(1))[0]), /red/)
  const inside = instance({ interface: 'eth1', transport })
  const found = resolveInterface(inside, kernelOf(links, twice), vip)
  assert.ok(found.ok)
  assert.equal(found.sourceLink.name, 'eth1')
})
