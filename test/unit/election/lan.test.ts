/** Properties of many machines together: exactly one master, and no router preempts that must not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../../src/base/time.ts'
import type { Event } from '../../../src/election/types.ts'
import { fc } from '../../property.ts'
import { ip, linkDown, params } from './host.ts'
import { Lan, type Node } from './lan.ts'

type HostSpec = {
  readonly priority: number
  readonly preempt: boolean
  readonly delaySeconds: number
  readonly intervalMs: number
  readonly startMs: number
}
type Trouble = {
  readonly host: number
  readonly atMs: number
  readonly event: Event
}

const hostSpec: fc.Arbitrary<HostSpec> = fc.record({
  // Few values, so that equal priorities are common.
  priority: fc.constantFrom(1, 50, 100, 100, 150, 254),
  preempt: fc.boolean(),
  delaySeconds: fc.constantFrom(0, 0, 0, 2),
  intervalMs: fc.constantFrom(100, 500, 1000),
  startMs: fc.integer({ min: 0, max: 4000 }),
})

const trouble: fc.Arbitrary<Trouble> = fc.record({
  host: fc.nat(4),
  atMs: fc.integer({ min: 5_000, max: 15_000 }),
  event: fc.oneof(
    fc
      .constantFrom(1, 50, 99, 100, 150, 254)
      .map((effective): Event => ({ kind: 'priority', effective })),
    fc.constant<Event>({ kind: 'faults', faults: [linkDown] }),
    fc.constant<Event>({ kind: 'faults', faults: [] }),
    fc.constant<Event>({ kind: 'resigned', why: 'late', lateUs: us(1) }),
  ),
})

const settledUs = secondsToUs(24)
const endUs = secondsToUs(30)

function lanOf(version: 2 | 3, hosts: readonly HostSpec[], troubles: readonly Trouble[]): Lan {
  const lan = new Lan()
  const nodes = hosts.map((spec, i) => {
    const intervalMs = version === 2 ? 1000 : spec.intervalMs
    const node = lan.add(
      `h${i}`,
      params({
        version,
        basePriority: spec.priority,
        preempt: spec.preempt,
        preemptDelayUs: spec.preempt ? secondsToUs(spec.delaySeconds) : us(0),
        advertIntervalUs: us(intervalMs * 1000),
        // 10.0.0.9 and 10.0.0.10: order of numbers is not order of text.
        source: ip(`10.0.0.${9 + i}`),
      }),
    )
    lan.at(us(spec.startMs * 1000), () => lan.feed(node, { kind: 'start' }))
    return node
  })
  for (const { host, atMs, event } of troubles) {
    const node = nodes[host % nodes.length]
    if (node !== undefined) lan.at(us(atMs * 1000), () => lan.feed(node, event))
  }
  return lan
}

const healthy = (lan: Lan): readonly Node[] =>
  [...lan.nodes.values()].filter((n) => n.machine.state.kind !== 'fault')

/** The master that a preempting backup without a delay must not leave in place. */
const mayRule = (master: Node, other: Node): boolean =>
  !other.params.preempt || master.machine.effective >= other.machine.effective

test('N hosts on a LAN without loss end with exactly one master, and it is one that may rule', () => {
  const scene = fc.tuple(
    fc.constantFrom(2 as const, 3 as const),
    fc.array(hostSpec, { minLength: 1, maxLength: 5 }),
    fc.array(trouble, { maxLength: 5 }),
  )
  fc.assert(
    fc.property(scene, ([version, hosts, troubles]) => {
      const lan = lanOf(version, hosts, troubles)
      lan.runUntil(endUs)
      const taking = healthy(lan)
      const masters = lan.masters()
      assert.equal(masters.length, taking.length === 0 ? 0 : 1)
      assert.deepEqual(
        lan.moves.filter((m) => m.at > settledUs),
        [],
        'nothing moves once it is settled',
      )
      for (const master of masters)
        for (const other of taking) assert.ok(mayRule(master, other), `${other.key} must preempt`)
    }),
    { numRuns: 300 },
  )
})

test('a nopreempt host takes over from silence or a resignation only, never against a live master', () => {
  const scene = fc.tuple(
    fc.array(hostSpec, { minLength: 2, maxLength: 4 }),
    fc.array(trouble, { maxLength: 5 }),
  )
  fc.assert(
    fc.property(scene, ([hosts, troubles]) => {
      // One interval for all: a host with a shorter one cannot wait long enough for a slower master.
      const meek = hosts.map((spec) => ({ ...spec, preempt: false, intervalMs: 500 }))
      const lan = lanOf(3, meek, troubles)
      lan.runUntil(endUs)
      for (const { to, cause, against } of lan.moves) {
        if (to !== 'master') continue
        assert.ok(cause.kind === 'timeout' || cause.kind === 'priority-zero', cause.kind)
        assert.deepEqual(against, [])
      }
    }),
    { numRuns: 300 },
  )
})

test('a dead master is followed by the best of the others, one skew apart', () => {
  const lan = new Lan()
  const priorities = [200, 150, 149, 100]
  const nodes = priorities.map((basePriority, i) =>
    lan.add(`h${i}`, params({ basePriority, source: ip(`10.0.0.${i + 1}`) })),
  )
  for (const node of nodes) lan.feed(node, { kind: 'start' })
  lan.runUntil(secondsToUs(10))
  const [first] = lan.masters()
  assert.equal(first?.key, 'h0')
  const last = first?.advertAt ?? us(0)
  if (first !== undefined) lan.at(us(last + 1), () => lan.kill(first))
  lan.runUntil(secondsToUs(20))
  assert.deepEqual(
    lan.moves.filter((m) => m.at > last).map(({ at, key, to }) => ({ at, key, to })),
    [{ at: last + 150 + 3_000_000 + 414_062, key: 'h1', to: 'master' }],
  )
})

test('a master that stops hands over within the skew of the best backup', () => {
  const lan = new Lan()
  const [a, b] = [200, 100].map((basePriority, i) =>
    lan.add(`h${i}`, params({ basePriority, source: ip(`10.0.0.${i + 1}`) })),
  )
  assert.ok(a !== undefined && b !== undefined)
  lan.feed(a, { kind: 'start' })
  lan.feed(b, { kind: 'start' })
  lan.runUntil(secondsToUs(10))
  lan.feed(a, { kind: 'stop' })
  lan.runUntil(us(10_000_000 + 150 + 609_375))
  assert.equal(b.machine.state.kind, 'master')
})
