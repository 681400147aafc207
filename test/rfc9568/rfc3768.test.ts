/** RFC 3768 (version 2) where it differs from RFC 9568; the machine is the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../src/base/time.ts'
import { restartUs } from '../../src/election/effects.ts'
import { advert, Host, params } from '../unit/election/host.ts'

const two = { version: 2 as const }

test('RFC 3768 6.4.1: Master_Down_Timer at start', () => {
  assert.equal(new Host(two).start().remaining, 3_609_375)
  const slow = new Host({ ...two, advertIntervalUs: secondsToUs(10) }).start()
  assert.equal(slow.remaining, 30_609_375)
})

test('RFC 3768 6.4.2: nothing is learned from the sender’s interval', () => {
  const host = new Host(two).start().feed(advert(150, '10.0.0.2', us(100_000)), 1)
  assert.equal(host.remaining, 3_609_375)
  assert.equal(host.as('backup').master?.intervalUs, 1_000_000)
})

test('RFC 3768 6.1: a reload to another interval counts at once, whatever the master said before', () => {
  const { machine } = new Host(two).start().feed(advert(150), 1).last
  assert.equal(restartUs(params({ ...two, advertIntervalUs: secondsToUs(2) }), machine), 6_609_375)
})

test('RFC 3768 6.4.2: priority zero waits the skew, below a second even with long intervals', () => {
  const host = new Host({ ...two, advertIntervalUs: secondsToUs(10) }).start()
  assert.equal(host.feed(advert(150), 1).feed(advert(0), 2).remaining, 609_375)
})

test('RFC 3768 6.4.3: priority, then address', () => {
  assert.equal(new Host(two).becomeMaster().feed(advert(101), 5).state.kind, 'backup')
  assert.equal(new Host(two).becomeMaster().feed(advert(100, '10.0.0.9'), 5).state.kind, 'master')
  assert.equal(new Host(two).becomeMaster().feed(advert(100, '10.0.1.1'), 5).state.kind, 'backup')
})

test('RFC 3768 6.4.3: priority zero makes the master speak at once', () => {
  assert.deepEqual(new Host(two).becomeMaster().feed(advert(0), 5).did, ['advertise'])
})
