/** Into fault and out of it, held silently or loudly, and preempt_delay and nopreempt around it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs } from '../../../src/base/time.ts'
import { describeCause, describeFault } from '../../../src/election/describe.ts'
import { nextDeadline } from '../../../src/election/step.ts'
import type { Cause, Fault } from '../../../src/election/types.ts'
import { advert, Host, ip, linkDown, pending } from './host.ts'

const faults = (...list: readonly Fault[]) => ({ kind: 'faults', faults: list }) as const
const faultyMember = (member: string | null, isPending = false) =>
  ({
    kind: 'group-fault',
    group: 'G',
    faultyMember: member === null ? null : { member, pending: isPending },
  }) as const

test('a fault takes backup and master to fault, with the faults as the cause', () => {
  for (const host of [new Host().start(), new Host().becomeMaster()]) {
    host.feed(faults(linkDown), 10)
    assert.deepEqual(host.as('fault'), { kind: 'fault', faults: [linkDown], silent: false })
    assert.deepEqual(host.cause, { kind: 'faults', faults: [linkDown] })
  }
})

test('no fault, no effect', () => {
  for (const host of [new Host().start(), new Host().becomeMaster()])
    assert.deepEqual(host.feed(faults(), 10).last.effects, [])
})

test('out of fault: backup with a full down timer of the priority of the day', () => {
  const host = new Host().start().feed(faults(linkDown), 1)
  host.feed({ kind: 'priority', effective: 150 }, 2)
  assert.deepEqual(host.last.effects, [])
  host.feed(faults(), 3)
  assert.equal(host.remaining, 3_414_062)
  assert.deepEqual(host.cause, { kind: 'recovered' })
})

test('out of fault: an owner goes straight to master', () => {
  const owner = new Host({ basePriority: 255 }).feed(faults(linkDown)).feed(faults(), 3)
  assert.equal(owner.as('master').since, 3_000_000)
  assert.deepEqual(owner.cause, { kind: 'recovered' })
})

test('one of two faults goes: still in fault, without a transition', () => {
  const other: Fault = { kind: 'check', name: 'chk', detail: 'exit 1' }
  const host = new Host().start().feed(faults(linkDown, other), 1).feed(faults(other), 2)
  assert.deepEqual(host.as('fault').faults, [other])
  assert.deepEqual(host.last.effects, [])
})

test('waiting for a first result is silent, and ends as a start', () => {
  const host = new Host().feed(faults(pending))
  assert.equal(host.as('fault').silent, true)
  host.start().feed(faults(), 0.2)
  assert.equal(host.remaining, 3_609_375)
  assert.deepEqual(host.cause, { kind: 'start' })
})

test('the first result is bad: now it is a fault to tell', () => {
  const bad: Fault = { kind: 'check', name: 'chk', detail: 'exit 1' }
  const host = new Host().feed(faults(pending)).feed(faults(bad), 0.2)
  assert.equal(host.as('fault').silent, false)
  assert.deepEqual(host.last.effects, [
    { kind: 'transition', from: 'fault', to: 'fault', cause: { kind: 'faults', faults: [bad] } },
  ])
})

test('a fault once told stays told while only a first result is missing', () => {
  const host = new Host().feed(faults(linkDown, pending)).feed(faults(pending), 1)
  assert.equal(host.as('fault').silent, false)
  assert.deepEqual(host.feed(faults(), 2).cause, { kind: 'recovered' })
})

test('own faults and the group’s are replaced by their own events only', () => {
  const host = new Host().start().feed(faultyMember('B'), 1)
  assert.equal(host.as('fault').faults.length, 1)
  host.feed(faults(linkDown), 2).feed(faults(), 3)
  assert.deepEqual(host.as('fault').faults, [
    { kind: 'sync-group', group: 'G', member: 'B', pending: false },
  ])
  host.feed(faults(linkDown), 4).feed(faultyMember(null), 5)
  assert.deepEqual(host.as('fault').faults, [linkDown])
  assert.equal(host.feed(faults(), 6).state.kind, 'backup')
})

test('waiting for another member’s first result is silent, too', () => {
  const host = new Host().start().feed(faultyMember('B', true), 1)
  assert.equal(host.as('fault').silent, true)
  host.feed(faultyMember('B'), 2)
  assert.equal(host.as('fault').silent, false)
  assert.deepEqual(host.did, ['transition'])
})

test('preempt_delay: the first lower advert starts it; then take-over after delay and remainder', () => {
  const host = new Host({ preemptDelayUs: secondsToUs(10) }).start()
  host.feed(advert(50), 1)
  assert.equal(host.last.accepted, true)
  assert.equal(host.as('backup').preemptAt, 11_000_000)
  assert.equal(nextDeadline(host.state), 11_000_000)
  host.feed(advert(50), 10.9)
  assert.equal(host.as('backup').masterDownAt, 10_900_000 + 3_609_375)
  host.feed({ kind: 'tick' }, 10.95)
  assert.deepEqual(host.last.effects, [])
  host.feed({ kind: 'tick' }, 11)
  assert.deepEqual([...host.did, host.last.order], ['replace'])
  assert.equal(host.as('backup').countdown.kind, 'overruled')
  assert.equal(host.as('backup').masterDownAt, 10_900_000 + 3_609_375)
  assert.equal(nextDeadline(host.state), null, 'a tick that was worked off is not asked for again')
  assert.equal(host.feed(advert(50), 11.9).last.accepted, false)
  host.feed({ kind: 'expired' }, 14.509375)
  assert.equal(host.cause?.kind, 'preempt')
})

test('preempt_delay: an advert as high as ours cancels it', () => {
  const host = new Host({ preemptDelayUs: secondsToUs(10) }).start()
  host.feed(advert(50), 1).feed(advert(100, '10.0.0.3'), 2)
  assert.equal(host.as('backup').preemptAt, null)
  host.feed(advert(50), 8)
  assert.equal(host.as('backup').preemptAt, 18_000_000)
})

test('preempt_delay: our own priority that falls to the master’s cancels it, one that rises lets it start', () => {
  const host = new Host({ preemptDelayUs: secondsToUs(10) }).start().feed(advert(90), 1)
  host.feed({ kind: 'priority', effective: 90 }, 2)
  assert.equal(host.as('backup').preemptAt, null)
  host.feed({ kind: 'priority', effective: 91 }, 3)
  assert.equal(host.as('backup').countdown.kind, 'overruled')
  host.feed(advert(90), 3.5)
  assert.equal(host.last.accepted, true)
  assert.equal(host.as('backup').preemptAt, 13_500_000)
})

test('preempt_delay: one that is over begins anew when our priority fell to the master’s and rose again', () => {
  const host = new Host({ preemptDelayUs: secondsToUs(10) }).start().feed(advert(90), 1)
  host.feed({ kind: 'tick' }, 11)
  assert.equal(host.as('backup').countdown.kind, 'overruled')
  // From here on the engine takes the master's adverts, and tells nothing.
  host.feed({ kind: 'priority', effective: 90 }, 12)
  assert.deepEqual(host.as('backup').countdown, { kind: 'restarts' })
  host.feed({ kind: 'priority', effective: 100 }, 20).feed(advert(90), 20.5)
  assert.equal(host.last.accepted, true)
  assert.equal(host.as('backup').preemptAt, 30_500_000)
})

test('preempt_delay does not delay where there is no master', () => {
  const host = new Host({ preemptDelayUs: secondsToUs(100) }).start()
  assert.equal(host.remaining, 3_609_375)
  assert.equal(nextDeadline(host.state), null)
  const orphan = new Host({ preemptDelayUs: secondsToUs(100) }).start()
  orphan.feed(advert(50), 1).feed({ kind: 'expired' }, 4.7)
  assert.equal(orphan.state.kind, 'master')
})

test('nopreempt: back from fault it leaves a lower master alone, whatever its priority does', () => {
  const host = new Host({ preempt: false }).becomeMaster()
  host.feed(faults(linkDown), 10).feed(faults(), 20).feed(advert(1), 21)
  assert.equal(host.as('backup').countdown.kind, 'restarts')
  host.feed({ kind: 'priority', effective: 200 }, 22)
  assert.equal(host.as('backup').countdown.kind, 'restarts')
})

test('causes in words', () => {
  const from = ip('10.0.0.2')
  const cases: readonly (readonly [Cause, string])[] = [
    [{ kind: 'timeout', master: null }, 'no master heard'],
    [
      {
        kind: 'timeout',
        master: { address: from, priority: 150, intervalUs: secondsToUs(1) },
      },
      'master 10.0.0.2 timed out',
    ],
    [{ kind: 'priority-zero', from }, 'master 10.0.0.2 resigned (priority 0)'],
    [
      { kind: 'higher-priority', from, priority: 150, ours: 100 },
      'higher priority 150 from 10.0.0.2, ours 100',
    ],
    [
      { kind: 'faults', faults: [linkDown, { kind: 'check', name: 'chk_pg', detail: 'exit 1' }] },
      'link eth0 down; chk_pg failing (exit 1)',
    ],
    [{ kind: 'late', lateUs: secondsToUs(2) }, 'woke up 2000 ms late, listening first'],
    [{ kind: 'group', group: 'G', want: 'backup' }, 'sync group G goes to BACKUP'],
  ]
  for (const [cause, text] of cases) assert.equal(describeCause(cause), text)
  assert.equal(describeFault(pending), 'waiting for the first result of chk')
})
