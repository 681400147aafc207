/** RFC 9568 section 7.1: what the election itself decides about a received packet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advert, Host, linkDown } from '../unit/election/host.ts'

test('7.1: with owner_ignore_adverts the owner looks at no advert', () => {
  const owner = new Host({ basePriority: 255, ownerIgnoreAdverts: true }).start()
  for (const event of [advert(0), advert(100), advert(255, '10.0.0.99')]) {
    owner.feed(event, 1)
    assert.equal(owner.state.kind, 'master')
    assert.deepEqual(owner.last.effects, [])
  }
  owner.feed({ kind: 'group', group: 'G', want: 'backup' }, 2)
  const before = owner.state
  assert.deepEqual(owner.feed(advert(255, '10.0.0.99'), 3).state, before)
})

test('7.1: owner_ignore_adverts means nothing below 255', () => {
  const host = new Host({ ownerIgnoreAdverts: true }).becomeMaster().feed(advert(101), 5)
  assert.equal(host.state.kind, 'backup')
})

test('7.1: in fault no advert is looked at', () => {
  const host = new Host().start().feed({ kind: 'faults', faults: [linkDown] }, 1)
  const before = host.state
  for (const priority of [0, 50, 200]) {
    assert.deepEqual(host.feed(advert(priority), 2).state, before)
    assert.deepEqual(host.last.effects, [])
    assert.equal(host.last.accepted, false)
  }
})
