/** Any two configurations: what is refused leaves everything as it was, what is applied is what a fresh start makes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../../src/base/time.ts'
import type { Config, Instance, SyncGroup, Transport } from '../../../../src/config/types.ts'
import type { VirtualAddress } from '../../../../src/config/virtual-address.ts'
import { describeFault } from '../../../../src/election/describe.ts'
import { fc } from '../../../property.ts'
import { address, instance, ip, place, silent, virtualAddress } from '../facts.ts'
import { config, Stage } from './stage.ts'

const peers = ['10.0.0.11', '10.0.0.12', '10.0.0.13']

const transport: fc.Arbitrary<Transport> = fc.oneof(
  fc
    .constantFrom('224.0.0.18', '224.0.0.99')
    .map((group) => ({ kind: 'multicast' as const, group: ip(group), source: null })),
  fc
    .record({
      source: fc.constantFrom(null, ip('10.0.0.1'), ip('10.0.0.2'), ip('10.9.9.9')),
      peers: fc.subarray(peers, { minLength: 1 }),
    })
    .map(({ source, peers: all }) => ({
      kind: 'unicast' as const,
      source,
      peers: all.map((address) => ({ address: ip(address), minTtl: 0, maxTtl: 255 })),
      ttl: null,
      checkSource: true,
      faultNoPeer: false,
    })),
)

/** `n`: addresses of different instances differ. */
const vips = (n: number): fc.Arbitrary<readonly VirtualAddress[]> =>
  fc.subarray(
    [
      ...[
        virtualAddress(`10.0.${n}.1`),
        virtualAddress(`10.0.${n}.1`, { label: 'eth0:a' }),
        virtualAddress(`10.0.${n}.1`, { scope: 253, noprefixroute: true }),
        virtualAddress(`10.0.${n}.1`, { prefixLength: 24 }),
        virtualAddress(`10.0.${n}.1`, { peer: { address: ip('10.0.7.7'), prefixLength: 32 } }),
        virtualAddress(`10.0.${n}.1`, { peer: { address: ip('10.0.7.8'), prefixLength: 24 } }),
        virtualAddress(`10.0.${n}.1`, { peer: { address: ip('10.0.7.9'), prefixLength: 24 } }),
      ].slice(0, 7),
      virtualAddress(`10.0.${n}.2`, { interface: 'eth1' }),
      virtualAddress(`10.0.${n}.3`, { broadcast: ip(`10.0.${n}.255`), prefixLength: 24 }),
    ],
    { minLength: 1, maxLength: 3 },
  )

const anInstance = (n: number): fc.Arbitrary<Instance> =>
  fc
    .record({
      name: fc.constantFrom(`V${n}`, `W${n}`),
      interface: fc.constantFrom('eth0', 'eth0', 'eth0', 'eth1', 'eth2'),
      vrid: fc.constantFrom(51, 52),
      priority: fc.constantFrom(100, 120),
      advertIntervalUs: fc.constantFrom(us(1_000_000), us(2_000_000)),
      addressLifetimeSeconds: fc.constantFrom(0, 60),
      transport,
      addresses: vips(n),
    })
    .map((more) => instance(more))

const someGroups = fc.array(fc.subarray([0, 1, 2, 3], { minLength: 2 }), { maxLength: 2 })

const allInstances = fc.tuple(anInstance(0), anInstance(1), anInstance(2), anInstance(3))

const aConfig: fc.Arbitrary<Config> = fc
  .record({ some: fc.subarray([0, 1, 2, 3]), all: allInstances, groups: someGroups })
  .map(({ some, all, groups }) => {
    const instances = some.flatMap((i) => all[i] ?? [])
    return config(instances, groupsOf(instances, groups))
  })

/** As an operator alters a file: most instances are in the next one as they were, beside others that are not. */
const aHistory = (length: { readonly minLength: number; readonly maxLength: number }) =>
  fc.tuple(allInstances, allInstances).chain((variants: readonly (readonly Instance[])[]) => {
    const step = fc.record({
      chosen: fc.tuple(...[0, 1, 2, 3].map(() => fc.constantFrom(0, 0, 0, 1, 2))),
      groups: fc.oneof(fc.constant([]), someGroups),
    })
    return fc.array(
      step.map(({ chosen, groups }) => {
        const instances = chosen.flatMap((which, n) => variants[which]?.[n] ?? [])
        return config(instances, groupsOf(instances, groups))
      }),
      length,
    )
  })

/** Configurations that have nothing to do with each other, and those that have. */
const someSteps = (length: { readonly minLength: number; readonly maxLength: number }) =>
  fc.oneof(fc.array(aConfig, length), aHistory(length))

/** An instance is a member of one group. */
function groupsOf(
  instances: readonly Instance[],
  wanted: readonly (readonly number[])[],
): readonly SyncGroup[] {
  const free = new Set(instances.map(({ name }) => name))
  return wanted.flatMap((numbers, i) => {
    const members = numbers.flatMap((n) => instances[n]?.name ?? []).filter((m) => free.has(m))
    if (members.length < 2) return []
    for (const member of members) free.delete(member)
    const rest = { trackInterfaces: [], trackChecks: [], trackingWeight: false, notify: silent }
    return [{ name: `G${i}`, members, place, ...rest }]
  })
}

const runs = { numRuns: 400 }

test('what is refused leaves an equal state, what is applied equals a fresh start: backups', () => {
  fc.assert(
    fc.property(someSteps({ minLength: 2, maxLength: 4 }), (steps) => {
      const stage = new Stage()
      for (const next of steps) {
        const before = stage.state()
        const plan = stage.apply(next)
        if (!plan.ok) {
          assert.deepEqual(stage.state(), before)
          continue
        }
        const fresh = new Stage()
        fresh.apply(next)
        assert.deepEqual(stage.state(), fresh.state())
        assert.deepEqual(stage.plan(next), { ...stage.plan(next), units: [], changes: [] })
      }
    }),
    runs,
  )
})

test('the same for masters: their leads, and what the kernel holds of their addresses', () => {
  fc.assert(
    fc.property(someSteps({ minLength: 2, maxLength: 2 }), ([first, next]) => {
      const stage = new Stage()
      if (first === undefined || next === undefined || !stage.apply(first).ok) return
      stage.expireAll()
      const before = stage.state()
      const plan = stage.apply(next)
      if (!plan.ok) return assert.deepEqual(stage.state(), before)
      stage.expireAll()
      const fresh = new Stage()
      fresh.apply(next)
      fresh.expireAll()
      assert.deepEqual(stage.state(), fresh.state())
    }),
    runs,
  )
})

test('an instance whose source has gone leaves its place before another takes its peer', () => {
  const unicast = (source: string | null, ...all: readonly string[]): Transport => ({
    ...{ kind: 'unicast', source: source === null ? null : ip(source), ttl: null },
    ...{ peers: all.map((address) => ({ address: ip(address), minTtl: 0, maxTtl: 255 })) },
    ...{ checkSource: true, faultNoPeer: false },
  })
  const one = (name: string, n: number, over: Transport) =>
    instance({ name, transport: over, addresses: [virtualAddress(`10.0.${n}.1`)] })
  const stage = new Stage()
  const first = [
    one('V1', 1, unicast(null, '10.0.0.11')),
    one('V2', 2, unicast('10.0.0.2', '10.0.0.12', '10.0.0.13')),
  ]
  const next = [
    one('V0', 0, unicast('10.9.9.9', '10.0.0.12')),
    one('V3', 3, unicast(null, '10.0.0.13')),
  ]
  assert.ok(stage.apply(config(first)).ok)
  stage.expireAll()
  assert.ok(stage.apply(config(next)).ok)
  stage.expireAll()
  const fresh = new Stage()
  fresh.apply(config(next))
  fresh.expireAll()
  assert.deepEqual(stage.state(), fresh.state())
})

test('an address that becomes virtual is no source any more, of an instance that a reload leaves alone either', () => {
  const left = instance({ name: 'W1', vrid: 52, addresses: [virtualAddress('10.0.1.1')] })
  const owner = instance({ name: 'V0', vrid: 51, addresses: [virtualAddress('10.0.0.1')] })
  const sources = (stage: Stage) =>
    stage.roster.instances.map(({ name, binding }) => `${name} ${binding.source}`)
  for (const lead of [false, true]) {
    const stage = new Stage()
    assert.ok(stage.apply(config([left])).ok)
    if (lead) stage.expireAll()
    assert.deepEqual(sources(stage), ['W1 10.0.0.1'])
    assert.ok(stage.apply(config([owner, left])).ok)
    assert.deepEqual(sources(stage), ['V0 10.0.0.2', 'W1 10.0.0.2'])
    assert.ok(stage.apply(config([left])).ok)
    assert.deepEqual(sources(stage), ['W1 10.0.0.1'])
  }
})

test('an address of the host that is virtual comes and goes: the source of all that have no other', () => {
  const owner = { vrid: 51, priority: 255, addresses: [virtualAddress('10.0.0.1')] }
  const other = { vrid: 52, addresses: [virtualAddress('10.0.1.1')] }
  const instances = [instance({ name: 'V0', ...owner }), instance({ name: 'W1', ...other })]
  const stage = new Stage()
  stage.hostSets(address(3, '10.0.0.2'), false)
  assert.ok(stage.apply(config(instances)).ok)
  const now = () =>
    stage.roster.instances.map((it) =>
      it.state.kind === 'fault' ? it.state.faults.map(describeFault) : it.binding.source,
    )
  assert.deepEqual(now(), ['10.0.0.1', '10.0.0.1'])
  stage.hostSets(address(3, '10.0.0.1'), false)
  const missing = ['no source address on eth0 (wanted: an IPv4 address that is not virtual)']
  assert.deepEqual(now(), [missing, missing])
  stage.hostSets(address(3, '10.0.0.1'), true)
  assert.deepEqual(now(), ['10.0.0.1', '10.0.0.1'])
})

test('the source of an instance on an ipvlan is looked for on that, not on the interface below', () => {
  const six = { version: 3, family: 6, ipvlan: 'ipv0' } as const
  const one = instance({ ...six, addresses: [virtualAddress('fe80::64')] })
  const stage = new Stage()
  assert.ok(stage.apply(config([one])).ok)
  const source = () => stage.roster.instances[0]?.binding.source
  assert.equal(source(), null)
  stage.hostSets(address(5, 'fe80::5'), true)
  assert.equal(source(), 'fe80::5')
  const other = instance({ ...six, ipvlan: null, name: 'V0', vrid: 51 })
  stage.hostSets(address(5, 'fe80::6'), true)
  const wanted = { ...other, addresses: [virtualAddress('fe80::5')] }
  assert.ok(stage.apply(config([one, wanted])).ok)
  assert.equal(source(), 'fe80::6', 'virtual now')
})

test('what one process passes on is what the next one has, and nothing is ordered that alters anything', () => {
  fc.assert(
    fc.property(aConfig, fc.boolean(), fc.boolean(), (only, lead, drained) => {
      const stage = new Stage()
      if (!stage.apply(only).ok) return
      if (lead) stage.expireAll()
      if (drained) stage.roster.drain()
      stage.settle()
      const state = stage.dispatcher.state()
      const next = new Stage(only)
      assert.equal(next.dispatcher.adopt(JSON.parse(JSON.stringify(state))), null)
      assert.deepEqual(next.dispatcher.state(), state)
      assert.deepEqual([next.engine.held, next.notified], [[], []])
    }),
    runs,
  )
})
