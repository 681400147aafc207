/** `Step.order`: the election says what becomes of the order that the engine stands under. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../src/election/types.ts'
import { advert, Host, linkDown } from './host.ts'

const faults = (...list: readonly (typeof linkDown)[]): Event => ({ kind: 'faults', faults: list })

test('another state is entered, and a master that leaves without having yielded resigns', () => {
  const host = new Host()
  assert.equal(host.last.order, 'keep')
  assert.equal(host.start().last.order, 'enter')
  assert.equal(host.feed(faults(linkDown), 1).last.order, 'enter')
  assert.equal(new Host().becomeMaster().feed(faults(linkDown), 5).last.order, 'resign')
  assert.equal(new Host().becomeMaster().feed({ kind: 'stop' }, 5).last.order, 'resign')
  assert.equal(new Host().becomeMaster().feed(advert(150), 5).last.order, 'enter')
  const lapsed: Event = { kind: 'resigned', why: 'lapsed', lateUs: host.now }
  assert.equal(new Host().becomeMaster().feed(lapsed, 5).last.order, 'enter', 'the engine resigned')
})

test('at the deadline the engine leads already; an owner that takes 255 back says so', () => {
  assert.equal(new Host().becomeMaster().last.order, 'keep')
  const owner = new Host({ basePriority: 255, ownerListens: true }).start()
  owner.feed({ kind: 'priority', effective: 254 })
  assert.equal(owner.feed({ kind: 'expired' }, 4).last.order, 'replace')
  assert.equal(owner.effective, 255)
})

test('what changes an expected advert, a deadline or a priority replaces; what changes none of them keeps', () => {
  const host = new Host().start()
  assert.equal(host.feed(advert(150), 1).last.order, 'replace')
  assert.equal(host.feed({ kind: 'tick' }, 2).last.order, 'keep')
  assert.equal(host.feed({ kind: 'priority', effective: 90 }, 2).last.order, 'replace')
  assert.equal(host.feed({ kind: 'priority', effective: 90 }, 2).last.order, 'keep')
  assert.equal(host.feed(advert(0), 3).last.order, 'replace')
  const master = new Host().becomeMaster()
  assert.equal(master.feed(advert(50), 5).last.order, 'keep', 'an answer out of turn is no order')
  assert.equal(master.feed({ kind: 'priority', effective: 90 }, 5).last.order, 'replace')
})
