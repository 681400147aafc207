/** An instance that is master: addresses of its that change under it, competition, and how it gives up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { OrderFor } from '../../../src/engine/order.ts'
import type { RunningInstance } from '../../../src/router/dispatch/instance.ts'
import { address, instance, ip, virtualAddress } from './facts.ts'
import { advertOf, atWork, expired, fine } from './instance-at-work.ts'

const contestedAt = ({ cfg, binding: { facts }, addresses }: RunningInstance, at: number) =>
  addresses.warnings({ cfg, facts, now: us(at) }).contested

const vanished = (text: string) => address(3, text, { prefixLength: 32 })

test('an address that another program deleted is put back once for each deletion, within bounds', () => {
  const { it, ordered, advance } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  it.keeper.addressVanished(vanished('172.16.80.100'))
  const [put] = ordered()
  assert.equal(put?.order.kind, 'once')
  assert.equal(put?.order.now[0]?.kind, 'netlink')
  for (let i = 0; i < 100; i++) it.keeper.addressVanished(vanished('172.16.80.100'))
  assert.equal(ordered().length, 19)
  assert.deepEqual(contestedAt(it, 0), [
    'HA_1: 172.16.80.100/32 was removed 10 times in 0 s by another program, and put back each time',
  ])
  assert.deepEqual(contestedAt(it, 11_000_000), [], 'the matter is over')

  // What was put off is done when the bucket allows, and announced in the end.
  const due = it.deadlineAt(us(0))
  assert.ok(due !== null && due <= 20_000, `${due}`)
  advance(20_000)
  it.tick(us(20_000))
  const [later] = ordered()
  assert.deepEqual(stepKinds(later), ['netlink'])
  const announced = it.deadlineAt(us(20_000))
  assert.ok(announced !== null && announced <= 2_020_000, `${announced}`)
  advance(announced)
  it.tick(announced)
  assert.deepEqual([...new Set(ordered().flatMap(stepKinds))], ['frame'])
})

test('an address that another program altered is set again, within bounds, and is no conflict', () => {
  const { it, ordered, lines } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  const terms = {
    validSeconds: 5,
    preferredSeconds: 0,
    noprefixroute: false,
    unmarked: false,
  }
  const told = { kind: 'address-altered', held: vanished('172.16.80.100'), terms } as const
  assert.equal(it.keeper.acceptsAddress(told), false)
  ordered()
  for (let i = 0; i < 100; i++) it.keeper.addressAltered(told)
  const steps = ordered().map(stepKinds)
  assert.equal(steps.length, 20)
  assert.deepEqual(steps[0], ['netlink'], 'nothing to announce')
  assert.match(lines.join('\n'), /172\.16\.80\.100 was altered by another program .*: set again/)
  assert.deepEqual(contestedAt(it, 0), [])
  const other = { ...told, held: vanished('172.16.80.1') }
  assert.equal(it.keeper.acceptsAddress(other), null)
})

test('an address that went with its interface is put back, and no other program is blamed', () => {
  const { it, ordered, lines } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  for (let i = 0; i < 12; i++) it.keeper.addressVanished(vanished('172.16.80.100'), true)
  assert.equal(ordered().length, 12)
  assert.deepEqual(contestedAt(it, 0), [])
  const said = lines.filter((line) => line.includes('172.16.80.100'))
  assert.match(said[0] ?? '', /172\.16\.80\.100 went while eth0 was down: put back/)
  assert.doesNotMatch(said.join(), /another program/)
})

test('an address whose place a later line took is not missed when it goes', () => {
  const peer = (end: string) => ({ peer: { address: ip(end), prefixLength: 24 } })
  const addresses = ['10.0.7.8', '10.0.7.9'].map((end) =>
    virtualAddress('172.16.80.100', peer(end)),
  )
  const { it, ordered } = atWork(fine, instance({ addresses }))
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  ordered()
  const gone = (end: string) => address(3, '172.16.80.100', { prefixLength: 24, peer: ip(end) })
  it.keeper.addressVanished(gone('10.0.7.8'))
  assert.deepEqual(ordered(), [])
  it.keeper.addressVanished(gone('10.0.7.9'))
  assert.equal(ordered()[0]?.order.kind, 'once')
})

const stepKinds = (given: OrderFor | undefined): readonly string[] =>
  given?.order.kind === 'once' ? given.order.now.map((step) => step.kind) : []

test('sixty addresses that vanish at once are all put back at once', () => {
  const many = Array.from({ length: 60 }, (_, i) => `172.16.80.${100 + i}`)
  const { it, ordered } = atWork(
    fine,
    instance({ addresses: many.map((one) => virtualAddress(one)) }),
  )
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  ordered()
  for (const one of many) it.keeper.addressVanished(vanished(one))
  const put = ordered().flatMap((given) =>
    given.order.kind === 'once' ? given.order.now.filter((step) => step.kind === 'netlink') : [],
  )
  assert.equal(put.length, 60)
})

test('the end of a competition is announced, though contacts before it were not', () => {
  const { it, ordered, advance } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  const frames = () => ordered().filter((given) => stepKinds(given).includes('frame')).length
  frames()
  const second = 1_000_000
  let announcements = 0
  const hearUntil = (from: number, to: number) => {
    for (let at = from; at <= to; at += 2 * second) {
      advance(at)
      it.tick(us(at))
      it.receive({ ...advertOf(50), at: us(at) })
      announcements += frames()
    }
  }
  hearUntil(second, 41 * second)
  assert.ok(announcements < 8, `each of ${announcements} contacts was announced`)
  // The competitor hears us at last, and is silent. The interval is 2 s.
  const due = it.deadlineAt(us(41 * second))
  assert.equal(due, 44 * second)
  advance(44 * second)
  it.tick(us(44 * second))
  assert.equal(frames(), 1)
  advance(90 * second)
  it.tick(us(90 * second))
  assert.equal(frames(), 0, 'announced twice')
})

test('priority zero is answered and sets the advert timer anew, but only with an advert that goes out', () => {
  const { it, ordered } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  const timerKey = ({ order }: OrderFor) => (order.kind === 'lead' ? order.repeats[0]?.key : null)
  it.receive(advertOf(0))
  const [answer, lead, ...more] = ordered()
  assert.deepEqual(more, [])
  assert.ok(answer?.order.kind === 'once' && lead?.order.kind === 'lead')
  assert.deepEqual([answer.order.now.length, lead.order.now], [1, []])
  assert.equal(timerKey(lead), 'advert 1', 'the engine keeps the phase of a key that it knows')
  for (let i = 0; i < 100; i++) it.receive({ ...advertOf(0), from: ip('172.16.80.4') })
  const later = ordered()
  assert.equal(later.filter((o) => o.order.kind === 'once').length, 4)
  assert.deepEqual(
    later.flatMap((o) => timerKey(o) ?? []),
    ['advert 2', 'advert 3', 'advert 4', 'advert 5'],
  )
  it.receive(advertOf(90))
  assert.deepEqual(
    ordered()
      .map(timerKey)
      .filter((key) => key !== null),
    ['advert 5'],
  )
})

test('a master that a fault takes out resigns; one that stops, too', () => {
  const { it, ordered } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  it.assess({ ...fine, faults: [{ kind: 'check', name: 'web', detail: 'exit 1' }] })
  const [rest] = ordered()
  assert.ok(rest?.order.kind === 'idle')
  assert.deepEqual(
    rest.order.now.map((s) => s.kind),
    ['datagram', 'datagram', 'netlink'],
  )
  assert.equal(it.orders.zeroSent, 1)
  it.stop()
  assert.equal(it.orders.zeroSent, 1, 'nothing to resign from any more')
})

test('a master that sinks below a peer it has heard resigns; the operator’s word and a reload do not resign', () => {
  const leading = () => {
    const parts = atWork()
    parts.it.receive(advertOf(90))
    const generation = parts.ordered().at(-1)?.generation ?? 0
    parts.it.engineEvent(expired(generation))
    assert.equal(parts.it.state.kind, 'master')
    return parts
  }
  const demoted = leading()
  demoted.it.assess({ ...fine, effective: 80 })
  const [follow] = demoted.ordered()
  assert.ok(follow?.order.kind === 'follow')
  assert.deepEqual(
    follow.order.now.map((s) => s.kind),
    ['datagram', 'datagram', 'netlink'],
  )
  assert.equal(demoted.it.orders.zeroSent, 1)
  assert.equal(demoted.notified.at(-1), 'BACKUP')
  const standing = leading()
  standing.it.assess({ ...fine, effective: 1, standsBy: 'drain' })
  assert.equal(standing.it.state.kind, 'master')
  standing.it.reconfigure(instance({ priority: 50 }), { ...fine, effective: 50 })
  assert.equal(standing.it.state.kind, 'master')
  const grouped = leading()
  grouped.it.joinGroup(false)
  grouped.it.assess({ ...fine, effective: 80 })
  assert.equal(grouped.it.state.kind, 'master')
})

test('adverts that waited long for their turn are answered by what is allowed now, not over the time that they took', () => {
  const { it, ordered, advance } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  advance(600_000_000)
  for (let second = 0; second < 600; second++)
    it.receive({ ...advertOf(90), at: us(second * 1_000_000) })
  const said = ordered().flatMap(({ order }) => (order.kind === 'once' ? order.now : []))
  assert.equal(said.filter(({ kind }) => kind === 'datagram').length, 5)
})

test('a master of a hand-over that still speaks is no second master, one that goes on is', () => {
  const { it, ordered, advance } = atWork()
  const [first] = ordered()
  assert.ok(first !== undefined)
  advance(1_000_000)
  it.engineEvent(expired(first.generation))
  assert.equal(it.state.kind, 'master')
  const hears = (priority: number, at: number) => {
    advance(at)
    it.receive({ ...advertOf(priority), at: us(at) })
    return it.rivalAt(us(at))?.priority ?? null
  }
  assert.equal(hears(1, 2_900_000), null, 'within our first interval')
  assert.equal(hears(1, 3_100_000), 1)
  assert.equal(it.rivalAt(us(9_200_000)), null, 'silent since')
})
