/** RFC 9568 section 6.4.2: Backup. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../src/base/time.ts'
import { recounted } from '../../src/election/backup.ts'
import { nextDeadline, refreshed } from '../../src/election/step.ts'
import { advert, Host, ip } from '../unit/election/host.ts'

test('6.4.2: Active_Down_Timer fires: master, with the master that fell silent as the cause', () => {
  const host = new Host().start().feed(advert(150), 1).feed({ kind: 'expired' }, 4.609375)
  assert.deepEqual(host.as('master'), { kind: 'master', since: 4_609_375, rival: null })
  const master = { address: ip('10.0.0.2'), priority: 150, intervalUs: secondsToUs(1) }
  assert.deepEqual(host.cause, { kind: 'timeout', master })
  assert.deepEqual(host.logged, ['(VI_1) Receive advertisement timeout'])
})

test('6.4.2: the engine owns the deadline: a tick past it moves nothing', () => {
  const host = new Host().start().feed({ kind: 'tick' }, 100)
  assert.equal(host.state.kind, 'backup')
  assert.deepEqual(host.last.effects, [])
})

test('6.4.2: priority zero sets the timer to the skew time', () => {
  const host = new Host().start().feed(advert(150), 1).feed(advert(0), 1.5)
  assert.equal(host.remaining, 609_375)
  assert.equal(host.last.accepted, false)
  assert.deepEqual(host.as('backup').countdown, { kind: 'resigned', from: '10.0.0.2' })
  assert.deepEqual([...host.did, host.last.order], ['replace'])
  host.feed({ kind: 'expired' }, 2.109375)
  assert.deepEqual(host.cause, { kind: 'priority-zero', from: '10.0.0.2' })
})

test('6.4.2: priority zero uses the skew of the learned interval', () => {
  const host = new Host()
    .start()
    .feed(advert(150, '10.0.0.2', us(100_000)), 1)
    .feed(advert(0), 1.05)
  assert.equal(host.remaining, 60_937)
})

test('6.4.2: a better backup that speaks during the skew is followed', () => {
  const host = new Host().start().feed(advert(150), 1).feed(advert(0), 1.5)
  host.feed(advert(120, '10.0.0.3'), 1.9)
  assert.equal(host.remaining, 3_609_375)
  assert.deepEqual(host.as('backup').countdown, { kind: 'restarts' })
})

test('6.4.2: an advert as high or higher is accepted: interval learned, timer reset', () => {
  for (const priority of [100, 101, 255]) {
    const host = new Host().start().feed(advert(priority, '10.0.0.2', us(500_000)), 2)
    assert.equal(host.remaining, 1_500_000 + 304_687)
    assert.equal(host.last.accepted, true)
    assert.deepEqual([...host.did, host.last.order], ['replace'])
    const master = { address: '10.0.0.2', priority, intervalUs: 500_000 }
    assert.deepEqual(host.as('backup').master, master)
  }
})

test('6.4.2: equal priority has no tie-break in backup, whatever the address', () => {
  for (const from of ['10.0.0.2', '10.0.0.200'])
    assert.equal(new Host().start().feed(advert(100, from), 1).last.accepted, true)
})

test('6.4.2: with Preempt_Mode a lower advert is discarded and the deadline stands', () => {
  const host = new Host().start()
  const { masterDownAt } = host.as('backup')
  host.feed(advert(99), 1)
  assert.equal(host.last.accepted, false)
  assert.equal(host.as('backup').masterDownAt, masterDownAt)
  assert.deepEqual(host.logged, [
    '(VI_1) received lower priority (99) advert from 10.0.0.2 - discarding',
  ])
  host.feed(advert(99), 2)
  assert.deepEqual(host.last.effects, [], 'said once')
  host.feed({ kind: 'expired' }, masterDownAt / 1_000_000)
  assert.deepEqual(host.cause, { kind: 'preempt', from: '10.0.0.2', priority: 99, ours: 100 })
})

test('6.4.2: a lower advert of a third router does not touch the master that is followed', () => {
  const host = new Host().start().feed(advert(150), 1)
  const before = host.state
  host.feed(advert(50, '10.0.0.3'), 1.2)
  assert.deepEqual(host.state, before)
  assert.deepEqual(host.did, [])
})

test('6.4.2: a master that falls below us no longer restarts the deadline, not even with its older advert', () => {
  const host = new Host().start().feed(advert(150), 1)
  const { masterDownAt } = host.as('backup')
  host.feed(advert(80), 2)
  const state = host.as('backup')
  assert.equal(state.masterDownAt, masterDownAt)
  assert.deepEqual(state.countdown, { kind: 'overruled', from: '10.0.0.2', priority: 80 })
  assert.deepEqual([...host.did, host.last.order], ['replace'])
  host.feed(advert(150), 3)
  assert.deepEqual(host.as('backup').countdown, { kind: 'restarts' })
  assert.equal(host.remaining, 3_609_375)
})

test('6.4.2: without Preempt_Mode any live master is followed', () => {
  const host = new Host({ preempt: false }).start().feed(advert(1), 1)
  assert.equal(host.last.accepted, true)
  assert.equal(host.remaining, 3_609_375)
})

test('6.4.2: a changed priority shifts the running deadline by the difference of the skew times', () => {
  const host = new Host().start().feed(advert(200), 1)
  host.feed({ kind: 'priority', effective: 80 }, 2)
  assert.equal(host.remaining, 2_609_375 - 609_375 + 687_500)
  assert.equal(host.effective, 80)
  assert.deepEqual([...host.did, host.last.order], ['replace'])
  host.feed({ kind: 'priority', effective: 100 }, 2)
  assert.equal(host.remaining, 2_609_375)
  host.feed({ kind: 'priority', effective: 100 }, 2)
  assert.deepEqual(host.did, [])
})

test('6.4.2: a rise that leaves no time takes over now, not in the past', () => {
  const host = new Host({ basePriority: 1 }).start()
  host.feed({ kind: 'priority', effective: 254 }, 3.9)
  assert.equal(host.remaining, 0)
})

test('6.4.2: a deadline that has passed is not moved by a priority', () => {
  const host = new Host().start().feed({ kind: 'held', at: us(3_609_375) }, 3.609375)
  host.feed({ kind: 'priority', effective: 50 }, 4)
  assert.equal(host.as('backup').masterDownAt, 3_609_375)
  assert.equal(host.as('backup').wantsMaster, true)
})

test('a deadline that a stopped thread hears of an interval late is no reason to lead: listen again', () => {
  const deadline = { kind: 'held', at: us(3_609_375) } as const
  const soon = new Host().start().feed(deadline, 4.609375)
  assert.equal(soon.as('backup').wantsMaster, true)
  const late = new Host().start().feed(deadline, 4.609376)
  assert.equal(late.as('backup').wantsMaster, false)
  assert.equal(late.remaining, 3_609_375)
  assert.deepEqual([...late.did, late.last.order], ['replace'])
})

test('6.4.2: a priority that rises above the master stops its advert from restarting the deadline', () => {
  const host = new Host().start().feed(advert(150), 1)
  host.feed({ kind: 'priority', effective: 160 }, 2)
  assert.deepEqual(host.as('backup').countdown, {
    kind: 'overruled',
    from: '10.0.0.2',
    priority: 150,
  })
  host.feed(advert(150), 2.5)
  assert.equal(host.last.accepted, false)
})

test('6.4.2: an interval of zero on the wire does not make the deadline immediate', () => {
  const host = new Host().start().feed(advert(150, '10.0.0.2', us(0)), 1)
  assert.equal(host.remaining, 3_609_375)
})

test('6.4.2: another interval than ours is learned', () => {
  const host = new Host().start().feed(advert(150, '10.0.0.2', us(250_000)), 1)
  assert.equal(host.as('backup').master?.intervalUs, 250_000)
})

test('6.4.2: an interval far above ours counts as ten times ours: a forged advert keeps no pair without a master', () => {
  const forged = advert(254, '10.0.0.2', us(40_950_000))
  const own = { advertIntervalUs: us(100_000) }
  // 3 × 1 s, and the skew of 100 for 1 s.
  const bounded = new Host(own).start().feed(forged, 1)
  assert.equal(bounded.remaining, 3_609_375)
  assert.deepEqual(bounded.as('backup').master?.statedUs, 40_950_000)
  const [tenTimes, more] = [us(1_000_000), us(1_010_000)]
  const exact = new Host(own).start().feed(advert(254, '10.0.0.2', tenTimes), 1)
  assert.equal(exact.as('backup').master?.statedUs, undefined)
  const above = new Host(own).start().feed(advert(254, '10.0.0.2', more), 1)
  assert.equal(above.as('backup').master?.intervalUs, 1_000_000)
  const off = new Host({ ...own, maxIntervalRatio: 0 }).start().feed(forged, 1)
  assert.equal(off.remaining, 147_803_906)
  const priorityZero = bounded.feed(advert(0, '10.0.0.2', us(40_950_000)), 2)
  assert.equal(priorityZero.remaining, 609_375, 'the skew too')
})

test('another bound (a reload) counts for the master that is followed already', () => {
  const host = new Host({ advertIntervalUs: us(100_000) }).start()
  const { machine } = host.feed(advert(254, '10.0.0.2', us(40_950_000)), 1).last
  const counted = (ratio: number) => {
    const { state } = recounted({ ...host.params, maxIntervalRatio: ratio }, machine)
    return state.kind === 'backup' ? state.master?.intervalUs : null
  }
  assert.deepEqual([counted(0), counted(20), counted(10)], [40_950_000, 2_000_000, 1_000_000])
})

test('the deadline that the engine has moved meanwhile is known before a step needs it', () => {
  const host = new Host().start().feed(advert(150), 1)
  const { machine } = host.last
  const later = refreshed(host.params, machine, secondsToUs(50))
  assert.equal(later.state.kind === 'backup' && later.state.masterDownAt, 53_609_375)
  assert.equal(refreshed(host.params, machine, secondsToUs(0.5)), machine, 'never back')
  assert.equal(refreshed(host.params, machine, null), machine)
  const resigning = host.feed(advert(0), 1.1).last.machine
  assert.equal(refreshed(host.params, resigning, secondsToUs(50)), resigning)
})

test('a backup needs no tick of its own while it only waits for the master', () => {
  assert.equal(nextDeadline(new Host().start().feed(advert(150), 1).state), null)
  assert.equal(nextDeadline(new Host().state), null)
  assert.equal(nextDeadline(new Host().becomeMaster().state), null)
})
