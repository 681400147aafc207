import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advertOf, atWork, expired, fine } from './instance-at-work.ts'

test('it starts as backup with its take-over prepared, and cleans what a predecessor left', () => {
  const { it, ordered, notified } = atWork()
  const [first, ...more] = ordered()
  assert.deepEqual(more, [])
  assert.equal(first?.order.kind, 'follow')
  assert.deepEqual(
    first?.order.now.map((s) => s.kind),
    ['netlink'],
  )
  assert.deepEqual(notified, ['BACKUP'])
  assert.equal(it.state.kind, 'backup')
})

test('the deadline passed: the engine stands on the prepared lead, nothing is ordered', () => {
  const { it, ordered, notified } = atWork()
  const generation = ordered()[0]?.generation ?? 0
  it.engineEvent(expired(generation))
  assert.equal(it.state.kind, 'master')
  assert.deepEqual(ordered(), [])
  assert.deepEqual(notified, ['BACKUP', 'MASTER'])
})

test('an event that crossed a newer order is dropped and answered by no further order', () => {
  const { it, ordered } = atWork()
  const generation = ordered()[0]?.generation ?? 0
  it.receive(advertOf(0))
  assert.equal(ordered().length, 1, 'the skew time is ordered')
  it.engineEvent(expired(generation))
  assert.equal(it.state.kind, 'backup')
  assert.deepEqual(ordered(), [], 'an answer here and an expiry there would chase each other')
})

test('an accepted advert becomes the expected one, and its interval counts from its reception', () => {
  const { it, ordered, advance } = atWork()
  ordered()
  advance(1_500_000)
  const heard = advertOf(150)
  it.receive(heard)
  const [follow] = ordered()
  assert.ok(follow?.order.kind === 'follow')
  assert.deepEqual(follow.order.expect?.payload, heard.payload)
  assert.deepEqual(follow.order.now, [], 'what was deleted once is not deleted again')
  assert.equal(follow.order.deadlineUs, heard.at + follow.order.restartUs)
})

test('a changed priority replaces the lead without repeating the take-over', () => {
  const { it, ordered } = atWork()
  it.engineEvent(expired(ordered()[0]?.generation ?? 0))
  it.assess({ ...fine, effective: 90 })
  const [lead] = ordered()
  assert.ok(lead?.order.kind === 'lead')
  assert.deepEqual(lead.order.now, [])
})
