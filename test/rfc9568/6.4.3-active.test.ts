/** RFC 9568 section 6.4.3: Active (master). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../src/base/time.ts'
import { advert, Host } from '../unit/election/host.ts'

test('6.4.3: priority zero of another master is answered at once', () => {
  const host = new Host().becomeMaster().feed(advert(0), 5)
  assert.equal(host.state.kind, 'master')
  assert.deepEqual(host.last.effects, [{ kind: 'advertise', resetTimer: true }])
})

test('6.4.3: a lower advert is discarded and answered, the addresses are announced again', () => {
  const host = new Host().becomeMaster().feed(advert(99, '10.0.0.200'), 5)
  assert.equal(host.state.kind, 'master')
  assert.deepEqual(host.did, ['advertise', 'reannounce'])
  assert.deepEqual(host.last.effects[1], { kind: 'advertise', resetTimer: false })
  assert.deepEqual(host.last.effects.at(-1), {
    kind: 'reannounce',
    from: '10.0.0.200',
    priority: 99,
  })
  assert.deepEqual(host.logged, [
    '(VI_1) Received advert from 10.0.0.200 with lower priority 99, ours 100, forcing new election',
  ])
})

test('6.4.3: lower_prio_no_advert leaves the answer out', () => {
  const host = new Host({ lowerPrioNoAdvert: true }).becomeMaster().feed(advert(99), 5)
  assert.deepEqual(host.did, ['reannounce'])
})

test('6.4.3: a higher advert: backup of its sender, with the sender’s interval', () => {
  const host = new Host().becomeMaster().feed(advert(101, '10.0.0.2', us(500_000)), 5)
  const backup = host.as('backup')
  assert.equal(host.remaining, 1_804_687)
  assert.deepEqual(backup.master, { address: '10.0.0.2', priority: 101, intervalUs: 500_000 })
  assert.deepEqual(backup.countdown, { kind: 'restarts' })
  assert.equal(host.last.accepted, true)
  assert.deepEqual(host.did, ['transition'])
  assert.deepEqual(host.logged, [
    '(VI_1) Master received advert from 10.0.0.2 with higher priority 101, ours 100',
  ])
})

test('6.4.3: higher_prio_send_advert says one more advert before yielding', () => {
  const host = new Host({ higherPrioSendAdvert: true }).becomeMaster().feed(advert(101), 5)
  assert.deepEqual(host.did, ['advertise', 'transition'])
})

test('6.4.3: between equals the higher address stays; addresses compare as numbers', () => {
  const stays = new Host().becomeMaster().feed(advert(100, '10.0.0.9'), 5)
  assert.deepEqual(stays.did, ['advertise', 'reannounce'])
  const yields = new Host().becomeMaster().feed(advert(100, '10.0.0.11'), 5)
  assert.equal(yields.state.kind, 'backup')
  assert.equal(yields.cause?.kind, 'higher-address')
  assert.deepEqual(yields.logged, [
    '(VI_1) Master received advert from 10.0.0.11 with same priority 100 but higher IP address than ours',
  ])
})

test('6.4.3: our own address with our own priority is only a warning', () => {
  const host = new Host().becomeMaster().feed(advert(100, '10.0.0.10'), 5)
  assert.equal(host.state.kind, 'master')
  assert.deepEqual(host.did, [])
  assert.equal(host.logged.length, 1)
})

test('6.4.3: Preempt_Mode means nothing to a master', () => {
  const host = new Host({ preempt: false }).becomeMaster().feed(advert(101), 5)
  assert.equal(host.state.kind, 'backup')
})

test('6.4.3: a lower own priority does not demote; the next advert says it', () => {
  const host = new Host().becomeMaster().feed({ kind: 'priority', effective: 20 }, 5)
  assert.equal(host.state.kind, 'master')
  assert.deepEqual([...host.did, host.last.order], ['replace'])
  assert.equal(host.feed(advert(90), 6).state.kind, 'backup')
})

test('late means listen: backup with a full down interval', () => {
  const host = new Host().becomeMaster()
  host.feed({ kind: 'resigned', why: 'late', lateUs: secondsToUs(3) }, 20)
  assert.equal(host.remaining, 3_609_375)
  assert.deepEqual(host.cause, { kind: 'late', lateUs: 3_000_000 })
  host.becomeMaster().feed({ kind: 'resigned', why: 'lapsed', lateUs: us(0) }, 30)
  assert.deepEqual(host.cause, { kind: 'lapsed' })
  assert.equal(host.remaining, 3_609_375)
})

test('what the engine says after a newer decision moves a master nowhere', () => {
  const held = { kind: 'held', at: us(9_000_000) } as const
  for (const event of [
    held,
    ...(['expired', 'tick', 'start'] as const).map((kind) => ({ kind })),
  ]) {
    const host = new Host().becomeMaster()
    const before = host.state
    assert.deepEqual(host.feed(event, 9).state, before)
    assert.deepEqual(host.last.effects, [])
  }
})

test('two owners: the one with the lower address yields', () => {
  const host = new Host({ basePriority: 255 }).start().feed(advert(255, '10.0.0.99'), 1)
  assert.equal(host.state.kind, 'backup')
  assert.equal(host.effective, 255)
})

test('two owners: one that should have yielded and does not is followed, with 254', () => {
  const host = new Host({ basePriority: 255 }).start()
  host.feed(advert(255, '10.0.0.2'), 1).feed(advert(255, '10.0.0.2'), 2)
  assert.equal(host.state.kind, 'master')
  assert.deepEqual(host.did, ['advertise', 'reannounce'])
  host.feed(advert(255, '10.0.0.2'), 3)
  assert.equal(host.state.kind, 'backup')
  assert.equal(host.effective, 254)
  assert.equal(host.remaining, 3_007_812)
  host.feed({ kind: 'expired' }, 6.1)
  assert.equal(host.effective, 255, 'taken back on becoming master')
  assert.deepEqual([...host.did, host.last.order], ['transition', 'replace'])
})

test('two owners: patience is 1.2 times the longer interval when that is more than two of ours', () => {
  const host = new Host({ basePriority: 255, advertIntervalUs: us(100_000) }).start()
  const theirs = advert(255, '10.0.0.2', secondsToUs(1))
  assert.equal(host.feed(theirs, 1).feed(theirs, 2).state.kind, 'master')
  assert.equal(host.feed(theirs, 2.2).state.kind, 'backup')
})

test('two owners: one that was silent in between is given its time anew', () => {
  const host = new Host({ basePriority: 255 }).start()
  host.feed(advert(255, '10.0.0.2'), 1).feed(advert(255, '10.0.0.2'), 10)
  assert.equal(host.state.kind, 'master')
  assert.equal(host.as('master').rival?.since, 10_000_000)
})
