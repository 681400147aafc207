/** Sync groups: all or none, without flapping and without loops. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../../src/base/time.ts'
import { step } from '../../../src/election/step.ts'
import {
  describeSync,
  groupDecide,
  groupState,
  type Member,
  mayLead,
} from '../../../src/election/sync-group.ts'
import type { Event } from '../../../src/election/types.ts'
import { fc } from '../../property.ts'
import { advert, Host, ip, linkDown, params, pending } from './host.ts'
import { Lan, type Node } from './lan.ts'

const own = (...faults: readonly (typeof linkDown)[]): Event => ({ kind: 'faults', faults })
const held: Event = { kind: 'held', at: us(0) }

type Hosts = ReadonlyMap<string, Host>

const members = (hosts: Hosts): ReadonlyMap<string, Member> =>
  new Map([...hosts].map(([name, host]) => [name, { machine: host.last.machine }]))

/** Feeds what the group decides until it agrees; the number of rounds that took. */
function settle(hosts: Hosts): number {
  for (let rounds = 0; ; rounds++) {
    assert.ok(rounds <= 3, 'the group does not settle')
    const actions = groupDecide('G', members(hosts))
    if (actions.length === 0) return rounds
    for (const { member, event } of actions) hosts.get(member)?.feed(event)
  }
}

const kinds = (hosts: Hosts): readonly string[] => [...hosts.values()].map((h) => h.state.kind)

const three = (make: () => Host): Hosts => new Map(['A', 'B', 'C'].map((name) => [name, make()]))
const at = (hosts: Hosts, name: string): Host => {
  const host = hosts.get(name)
  assert.ok(host !== undefined)
  return host
}

test('the group becomes master when the last member’s deadline passes, not before', () => {
  const hosts = three(() => new Host().start())
  assert.equal(mayLead(members(hosts), 'A'), false)
  at(hosts, 'A').feed(held)
  assert.equal(settle(hosts), 0)
  at(hosts, 'B').feed(held)
  assert.equal(settle(hosts), 0)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
  assert.equal(mayLead(members(hosts), 'A'), false, 'C still hears its master')
  assert.equal(mayLead(members(hosts), 'C'), true)
  at(hosts, 'C').feed({ kind: 'expired' })
  assert.equal(settle(hosts), 1)
  assert.deepEqual(kinds(hosts), ['master', 'master', 'master'])
  assert.deepEqual(at(hosts, 'A').cause, { kind: 'group', group: 'G', want: 'master' })
})

test('all deadlines were held at the same time: no member is left waiting', () => {
  const hosts = three(() => new Host().start().feed(held))
  assert.equal(settle(hosts), 1)
  assert.deepEqual(kinds(hosts), ['master', 'master', 'master'])
})

test('a member that hears its master again no longer wants', () => {
  const hosts = three(() => new Host().start())
  at(hosts, 'A').feed(held)
  at(hosts, 'B').feed(held)
  at(hosts, 'A').feed(advert(150))
  at(hosts, 'C').feed(held)
  assert.equal(settle(hosts), 0)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
  assert.equal(mayLead(members(hosts), 'C'), false)
})

test('one member that yields takes the others to backup', () => {
  const hosts = three(() => new Host().becomeMaster())
  at(hosts, 'B').feed(advert(200))
  assert.equal(settle(hosts), 1)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
  assert.equal(at(hosts, 'C').remaining, 3_609_375, 'with a full down timer')
  assert.deepEqual(at(hosts, 'C').cause, { kind: 'group', group: 'G', want: 'backup' })
})

test('one member in fault takes all to fault, and its recovery brings all back', () => {
  const hosts = three(() => new Host().becomeMaster())
  at(hosts, 'B').feed(own(linkDown))
  assert.equal(settle(hosts), 1)
  assert.deepEqual(kinds(hosts), ['fault', 'fault', 'fault'])
  at(hosts, 'B').feed(own())
  settle(hosts)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
})

test('of two faulty members the first to recover waits for the other', () => {
  const hosts = three(() => new Host().start())
  at(hosts, 'A').feed(own(linkDown))
  settle(hosts)
  at(hosts, 'B').feed(own(linkDown))
  settle(hosts)
  at(hosts, 'A').feed(own())
  settle(hosts)
  assert.deepEqual(kinds(hosts), ['fault', 'fault', 'fault'])
  const imposed = { kind: 'sync-group', group: 'G', member: 'B', pending: false }
  assert.deepEqual(at(hosts, 'A').as('fault').faults, [imposed])
  assert.deepEqual(at(hosts, 'C').as('fault').faults, [imposed])
  at(hosts, 'B').feed(own())
  settle(hosts)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
})

test('a member that waits for its first result holds all without notifying', () => {
  const hosts = three(() => new Host().start())
  at(hosts, 'A').feed(own(pending))
  settle(hosts)
  assert.deepEqual(
    [...hosts.values()].map((h) => h.as('fault').silent),
    [true, true, true],
  )
  assert.equal(groupState(members(hosts)), 'init')
  at(hosts, 'A').feed(own())
  settle(hosts)
  assert.deepEqual(kinds(hosts), ['backup', 'backup', 'backup'])
})

test('owners come back from a fault as masters, together', () => {
  const hosts = three(() => new Host({ basePriority: 255 }).start())
  at(hosts, 'A').feed(own(linkDown))
  settle(hosts)
  at(hosts, 'A').feed(own())
  settle(hosts)
  assert.deepEqual(kinds(hosts), ['master', 'master', 'master'])
})

test('a member that has not begun, or has stopped, forces no other', () => {
  const hosts = new Map([
    ['A', new Host().becomeMaster()],
    ['B', new Host()],
  ])
  assert.equal(settle(hosts), 0)
  assert.deepEqual(kinds(hosts), ['master', 'init'])
  at(hosts, 'B').feed({ kind: 'stop' })
  assert.equal(settle(hosts), 0)
  assert.equal(groupState(members(hosts)), 'master')
})

test('the state of the group', () => {
  assert.equal(groupState(members(three(() => new Host()))), 'init')
  assert.equal(groupState(members(three(() => new Host().start()))), 'backup')
  assert.equal(groupState(members(three(() => new Host().becomeMaster()))), 'master')
  assert.equal(groupState(members(three(() => new Host().feed(own(linkDown))))), 'fault')
  assert.equal(groupState(members(three(() => new Host().feed({ kind: 'stop' })))), 'stopped')
  assert.equal(describeSync('G', 'fault'), 'VRRP_Group(G) Syncing instances to FAULT state')
})

const anything: fc.Arbitrary<Event> = fc.constantFrom<Event>(
  { kind: 'start' },
  { kind: 'expired' },
  held,
  { kind: 'tick' },
  own(),
  own(linkDown),
  own(pending),
  advert(0),
  advert(50),
  advert(100, '10.0.0.200'),
  advert(200),
  { kind: 'resigned', why: 'late', lateUs: us(1) },
  { kind: 'priority', effective: 10 },
  { kind: 'priority', effective: 254 },
  { kind: 'stop' },
)

test('whatever happens to a member, the group settles in a few rounds and then agrees', () => {
  const names = ['A', 'B', 'C']
  const story = fc.array(fc.tuple(fc.constantFrom(...names), anything), { maxLength: 40 })
  fc.assert(
    fc.property(story, fc.constantFrom(100, 255), (events, basePriority) => {
      const hosts: Hosts = new Map(names.map((n) => [n, new Host({ basePriority }).start()]))
      settle(hosts)
      for (const [name, event] of events) {
        // An engine without a prepared lead cannot expire.
        const armed = mayLead(members(hosts), name)
        at(hosts, name).feed(event.kind === 'expired' && !armed ? held : event)
        settle(hosts)
        const seen = new Set(kinds(hosts).filter((kind) => kind !== 'stopped'))
        assert.ok(seen.size <= 1, [...seen].join(' and '))
      }
    }),
    { numRuns: 300 },
  )
})

/** Two hosts with two segments each, both instances of a host in one group. */
function pair(): { lan: Lan; one: readonly Node[]; two: readonly Node[] } {
  const lan = new Lan()
  const host = (name: string, basePriority: number, n: number): readonly Node[] =>
    ['inside', 'outside'].map((segment) =>
      lan.add(
        `${name}-${segment}`,
        params({ basePriority, source: ip(`10.0.0.${n}`) }),
        segment,
        name,
      ),
    )
  const both = { lan, one: host('one', 150, 1), two: host('two', 100, 2) }
  for (const node of lan.nodes.values()) lan.feed(node, { kind: 'start' })
  lan.runUntil(secondsToUs(10))
  return both
}

const rulers = (lan: Lan): readonly string[] =>
  ['inside', 'outside'].flatMap((segment) => lan.masters(segment).map((n) => n.key))

test('a dead host: the other one’s group takes over as a whole, without a detour', () => {
  const { lan, one } = pair()
  assert.deepEqual(rulers(lan), ['one-inside', 'one-outside'])
  const from = lan.moves.length
  for (const node of one) lan.kill(node)
  lan.runUntil(secondsToUs(20))
  assert.deepEqual(rulers(lan), ['two-inside', 'two-outside'])
  assert.equal(lan.moves.length - from, 2)
})

test('one segment is cut unseen: the group that hears its master on the other one does not flap', () => {
  const { lan, one } = pair()
  const from = lan.moves.length
  const [, outside] = one
  assert.ok(outside !== undefined)
  outside.segment = 'nowhere'
  lan.runUntil(secondsToUs(60))
  assert.equal(lan.moves.length, from)
  outside.segment = 'outside'
  lan.runUntil(secondsToUs(90))
  assert.equal(lan.moves.length, from)
  assert.deepEqual(rulers(lan), ['one-inside', 'one-outside'])
})

test('one link fails visibly: both virtual routers move, and come back with it', () => {
  const { lan, one } = pair()
  const [inside] = one
  assert.ok(inside !== undefined)
  lan.feed(inside, own(linkDown))
  lan.runUntil(us(10_000_000 + 150 + 609_375))
  assert.deepEqual(rulers(lan), ['two-inside', 'two-outside'])
  lan.feed(inside, own())
  lan.runUntil(secondsToUs(30))
  assert.deepEqual(rulers(lan), ['one-inside', 'one-outside'])
})

const segments = ['inside', 'outside'] as const

type GroupTrouble = {
  readonly host: number
  readonly segment: number
  readonly atMs: number
  readonly what: 'fault' | 'recover' | 'cut' | 'late' | 'weak' | 'strong'
}

const groupTrouble: fc.Arbitrary<GroupTrouble> = fc.record({
  host: fc.nat(2),
  segment: fc.nat(1),
  atMs: fc.integer({ min: 4_000, max: 15_000 }),
  what: fc.constantFrom('fault', 'recover', 'cut', 'late', 'weak', 'strong'),
})

function apply(lan: Lan, host: readonly Node[], { segment, what }: GroupTrouble): void {
  const node = host[segment]
  if (node === undefined) return
  if (what === 'cut') node.segment = `nowhere of ${node.key}`
  if (what === 'fault') lan.feed(node, own(linkDown))
  if (what === 'recover') lan.feed(node, own())
  if (what === 'late') lan.feed(node, { kind: 'resigned', why: 'late', lateUs: us(1) })
  // A check of the group: it weighs on all members alike.
  if (what === 'weak' || what === 'strong')
    for (const member of host)
      lan.feed(member, { kind: 'priority', effective: what === 'weak' ? 20 : 240 })
}

test('hosts with groups, after any trouble: one host rules every segment, and it stays so', () => {
  const scene = fc.record({
    priorities: fc.array(fc.constantFrom(50, 100, 100, 150), { minLength: 2, maxLength: 3 }),
    preempt: fc.boolean(),
    troubles: fc.array(groupTrouble, { maxLength: 6 }),
  })
  fc.assert(
    fc.property(scene, ({ priorities, preempt, troubles }) => {
      const lan = new Lan()
      const hosts = priorities.map((basePriority, i) =>
        segments.map((segment) =>
          lan.add(
            `h${i}-${segment}`,
            params({ basePriority, preempt, source: ip(`10.0.0.${9 + i}`) }),
            segment,
            `h${i}`,
          ),
        ),
      )
      for (const node of lan.nodes.values()) lan.feed(node, { kind: 'start' })
      for (const trouble of troubles) {
        const host = hosts[trouble.host % hosts.length]
        if (host !== undefined) lan.at(us(trouble.atMs * 1000), () => apply(lan, host, trouble))
      }
      lan.at(secondsToUs(16), () => {
        for (const host of hosts)
          for (const [i, node] of host.entries()) {
            node.segment = segments[i] ?? 'inside'
            lan.feed(node, own())
          }
      })
      lan.runUntil(secondsToUs(40))
      const ruling = new Set(rulers(lan).map((key) => key.split('-')[0]))
      assert.equal(rulers(lan).length, 2)
      assert.equal(ruling.size, 1)
      assert.deepEqual(
        lan.moves.filter((m) => m.at > secondsToUs(30)),
        [],
      )
    }),
    { numRuns: 200 },
  )
})

test('a step never answers a group’s command with a transition that contradicts it', () => {
  for (const want of ['master', 'backup'] as const)
    for (const host of [new Host().start(), new Host().becomeMaster()]) {
      const { machine } = host.last
      const next = step(host.params, machine, { kind: 'group', group: 'G', want }, us(9_000_000))
      assert.equal(next.machine.state.kind, want)
    }
})
