/** Routes and rules of rtnetlink: the requests that keepalived 2.2.7 and HEAD send for the same configuration. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { hostIsLittleEndian, splitMessages } from '../../../src/wire/netlink.ts'
import { decodeMessages, emptyRouteRejects } from '../../../src/wire/rtnetlink.ts'
import {
  encodeRouteAdd,
  encodeRouteDelete,
  encodeRouteDump,
  encodeRouteTakeBack,
  type RouteSpec,
  routeIdentity,
} from '../../../src/wire/rtnetlink-route.ts'
import {
  encodeRuleAdd,
  encodeRuleDelete,
  type RuleSpec,
  ruleIdentity,
} from '../../../src/wire/rtnetlink-rule.ts'
import { fc } from '../../property.ts'

/** Of keepalived: the bytes below are its. */
const protocol = 18
const prefix = (text: string) => {
  const [address = '', length = ''] = text.split('/')
  return { address: address as Ip, length: Number(length) }
}

const route = (to: string, more: Partial<RouteSpec> = {}): RouteSpec => ({
  family: to.includes(':') ? 6 : 4,
  type: 1,
  destination: prefix(to),
  from: null,
  via: null,
  ifindex: 0,
  source: null,
  table: 254,
  protocol,
  scope: 0,
  metric: null,
  tos: 0,
  onlink: false,
  realms: null,
  metrics: [],
  locked: 0,
  preference: null,
  expiresSeconds: null,
  ttlPropagate: null,
  encap: null,
  nextHops: [],
  placing: 'prepend',
  ...more,
})

const rule = (more: Partial<RuleSpec>): RuleSpec => ({
  family: 4,
  action: 1,
  preference: 0,
  from: null,
  to: null,
  invert: false,
  table: null,
  goto: null,
  tos: 0,
  mark: null,
  realms: null,
  suppressPrefixLength: null,
  suppressInterfaceGroup: null,
  incoming: null,
  outgoing: null,
  tunnel: null,
  users: null,
  l3mdev: false,
  protocol,
  ipProtocol: null,
  sourcePorts: null,
  destinationPorts: null,
  ...more,
})

/** Without the sequence and the port, which the engine writes. */
const hex = (bytes: Uint8Array): string =>
  Buffer.concat([bytes.subarray(0, 8), bytes.subarray(16)]).toString('hex')
const words = (text: string): string => text.replaceAll(/[\s|]/g, '')

const via3 = '10.9.0.3' as Ip
const hop = { ifindex: 2, onlink: false, realms: null, encap: null }
const encap = {
  kind: 'ip',
  id: 5n,
  destination: via3,
  source: '10.9.0.1' as Ip,
  tos: null,
  ttl: 9,
  flags: null,
} as const

const routes: readonly (readonly [string, RouteSpec, string])[] = [
  [
    'via',
    route('192.0.2.0/24', { via: via3 }),
    '2c000000 1800 0504 | 02 18 00 00 fe 12 00 01 00000000 | 08000100 c0000200 | 08000500 0a090003',
  ],
  [
    'src and dev',
    route('192.0.4.0/24', { via: via3, source: '10.9.0.100' as Ip, ifindex: 2 }),
    '3c000000 1800 0504 | 02 18 00 00 fe 12 00 01 00000000 | 08000100 c0000400 08000700 0a090064 08000500 0a090003 08000400 02000000',
  ],
  [
    'a table above 255, a metric, metrics with a lock',
    route('192.0.9.0/24', {
      via: via3,
      ifindex: 2,
      table: 300,
      metric: 50,
      metrics: [
        { number: 16, value: 'cubic' },
        { number: 2, value: 1400 },
        { number: 8, value: 1300 },
      ],
      locked: 1 << 8,
    }),
    '6c000000 1800 0504 | 02 18 00 00 00 12 00 01 00000000 | 08000f00 2c010000 | 08000100 c0000900 | 08000500 0a090003 | 08000400 02000000 | 08000600 32000000 | 28000800 09001000 6375626963000000 08000200 78050000 08000800 14050000 08000100 00010000',
  ],
  [
    'next hops: the weight less one',
    route('192.0.10.0/24', {
      nextHops: [
        { ...hop, via: via3, weight: 1 },
        { ...hop, via: '10.9.0.2' as Ip, weight: 3 },
      ],
    }),
    '48000000 1800 0504 | 02 18 00 00 fe 12 00 01 00000000 | 08000100 c0000a00 | 24000900 1000 00 00 02000000 08000500 0a090003 1000 00 02 02000000 08000500 0a090002',
  ],
  [
    'encap ip',
    route('192.0.16.0/24', { ifindex: 2, encap }),
    '5c000000 1800 0504 | 02 18 00 00 fe 12 00 01 00000000 | 08000100 c0001000 | 28001600 0c000100 0000000000000005 08000200 0a090003 08000300 0a090001 05000400 09000000 | 06001500 02000000 | 08000400 02000000',
  ],
  [
    'blackhole, exclusive',
    route('192.0.7.0/24', { type: 6, placing: 'exclusive' }),
    '24000000 1800 0506 | 02 18 00 00 fe 12 00 06 00000000 | 08000100 c0000700',
  ],
  [
    'IPv6 with a metric',
    route('fd78::/64', { via: 'fd09::3' as Ip, ifindex: 2, metric: 99 }),
    '54000000 1800 0504 | 0a 40 00 00 fe 12 00 01 00000000 | 14000100 fd780000000000000000000000000000 | 14000500 fd090000000000000000000000000003 | 08000400 02000000 | 08000600 63000000',
  ],
]

const rules: readonly (readonly [string, RuleSpec, string])[] = [
  [
    'from',
    rule({ from: prefix('10.9.0.100/32'), table: 100, preference: 100 }),
    '34000000 2000 0506 | 02 00 20 00 64 00 00 01 00000000 | 08000200 0a090064 | 08000600 64000000 | 05001500 12000000',
  ],
  [
    'iif, fwmark with a mask, ports',
    rule({
      incoming: 'a0',
      mark: { value: 0x10, mask: 0xff },
      ipProtocol: 6,
      destinationPorts: { from: 30, to: 40 },
      table: 300,
      preference: 202,
    }),
    '5c000000 2000 0506 | 02 00 00 00 00 00 00 01 00000000 | 08000f00 2c010000 | 08000600 ca000000 | 08000a00 10000000 | 08001000 ff000000 07000300 61300000 | 05001500 12000000 | 05001600 06000000 | 08001800 1e002800',
  ],
]

describe('as keepalived', { skip: !hostIsLittleEndian }, () => {
  for (const [name, spec, bytes] of routes)
    test(`a route: ${name}`, () => assert.equal(hex(encodeRouteAdd(spec)), words(bytes)))

  for (const [name, spec, bytes] of rules)
    test(`a rule: ${name}`, () => assert.equal(hex(encodeRuleAdd(spec)), words(bytes)))

  test('removal: the same attributes, scope nowhere, no flags but REQUEST and ACK', () => {
    for (const [name, spec] of routes) {
      const [add, remove] = [encodeRouteAdd(spec), encodeRouteDelete(spec)]
      assert.deepEqual(remove.subarray(24), Uint8Array.from([...add.subarray(24)]), name)
      assert.equal(remove[22], 255, name)
      assert.equal(hex(remove).slice(8, 16), '19000500', name)
    }
    for (const [name, spec] of rules) {
      const [add, remove] = [encodeRuleAdd(spec), encodeRuleDelete(spec)]
      assert.deepEqual(remove.subarray(16), add.subarray(16), name)
      assert.equal(hex(remove).slice(8, 16), '21000500', name)
    }
  })
})

test('several next hops of IPv6 replace: the kernel would keep one and undo the other', () => {
  const nextHops = ['fd09::3', 'fd09::4'].map((via) => ({ ...hop, via: via as Ip, weight: 1 }))
  const flags = (spec: RouteSpec) => splitMessages(encodeRouteAdd(spec)).messages[0]?.flags
  assert.equal(flags(route('fd79::/64', { nextHops })), 0x505)
  assert.equal(flags(route('fd79::/64', { nextHops, placing: 'append' })), 0xc05)
  assert.equal(flags(route('192.0.2.0/24', { nextHops: [] })), 0x405)
})

test('put back where another program has replaced it: IPv4 before that one, else in its place', () => {
  const flags = (to: string, more: Partial<RouteSpec> = {}) =>
    splitMessages(encodeRouteTakeBack(encodeRouteAdd(route(to, more)))).messages[0]?.flags
  assert.equal(flags('192.0.2.0/24'), 0x405)
  assert.equal(flags('192.0.2.0/24', { placing: 'append' }), 0xc05)
  assert.equal(flags('192.0.2.0/24', { placing: 'exclusive' }), 0x505)
  for (const placing of ['prepend', 'append', 'exclusive'] as const)
    assert.equal(flags('fd79::/64', { placing }), 0x505, placing)
})

test('only what took the place of another is told as such', () => {
  const spec = route('192.0.2.0/24', { placing: 'exclusive' })
  for (const [bytes, replaces] of [
    [encodeRouteAdd(spec), false],
    [encodeRouteTakeBack(encodeRouteAdd(spec)), true],
    [encodeRouteDelete(spec), false],
  ] as const) {
    const [told] = decodeMessages(bytes)
    assert.ok(told?.kind === 'newroute' || told?.kind === 'delroute')
    assert.equal(told.replaces, replaces)
  }
})

test('encapsulations: numbers and byte orders as linux/lwtunnel.h has them', () => {
  const bytes = (it: RouteSpec['encap']) =>
    hex(encodeRouteAdd(route('192.0.2.0/24', { encap: it, ifindex: 2 })))
  const mpls = bytes({ kind: 'mpls', labels: [100, 200] })
  assert.ok(mpls.includes(words('10001600 0c000100 00064000 000c8100 06001500 01000000')), mpls)
  const ila = bytes({ kind: 'ila', locator: 0x2001000000000001n })
  assert.ok(ila.includes(words('10001600 0c000100 2001000000000001 06001500 03000000')), ila)
  const six = bytes({ ...encap, kind: 'ip6', id: null, source: null, destination: 'fd09::3' as Ip })
  assert.ok(six.includes(words('05000400 09000000 06001500 04000000')), six)
})

test('an identity is what the kernel tells of it, and nothing that it leaves open', () => {
  for (const [name, spec] of routes) {
    const [told] = decodeMessages(encodeRouteDelete(spec))
    assert.ok(told?.kind === 'delroute', name)
    assert.equal(told.identity, routeIdentity(spec), name)
    assert.equal(told.protocol, protocol, name)
  }
  for (const [name, spec] of rules) {
    const [told] = decodeMessages(encodeRuleAdd(spec))
    assert.ok(told?.kind === 'newrule', name)
    assert.equal(told.identity, ruleIdentity(spec), name)
  }
  const plain = route('fd78::/64', { ifindex: 2 })
  assert.equal(routeIdentity(plain), routeIdentity({ ...plain, metric: 1024 }))
  const others: readonly Partial<RouteSpec>[] = [{ table: 300 }, { tos: 4 }, { metric: 9 }]
  const all = [plain, ...others.map((more) => ({ ...plain, ...more }))].map(routeIdentity)
  assert.equal(new Set(all).size, all.length)
})

test('every cut and flipped octet is a value or a counted reason', () => {
  const samples = [
    ...routes.map(([, spec]) => encodeRouteAdd(spec)),
    ...rules.map(([, spec]) => encodeRuleAdd(spec)),
    encodeRouteDump(4, protocol),
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
      fc.nat(120),
      (sample, flips, cut) => {
        const bytes = Uint8Array.from(sample.subarray(0, Math.max(sample.length - cut, 0)))
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value
        const rejects = emptyRouteRejects()
        const decoded = decodeMessages(bytes, rejects)
        const counted = Object.values(rejects).reduce((a, b) => a + b, 0)
        assert.ok(decoded.length + counted <= bytes.length / 16 + 1)
      },
    ),
  )
})
