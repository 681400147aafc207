/** RFC 9568 section 6.4.1: Initialize. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { Event } from '../../src/election/types.ts'
import { advert, Host, linkDown } from '../unit/election/host.ts'

test('6.4.1: Startup with a priority below 255 listens for a full down interval', () => {
  const host = new Host().start(5)
  const backup = host.as('backup')
  assert.equal(host.remaining, 3_609_375)
  assert.equal(backup.master, null)
  assert.deepEqual(backup.countdown, { kind: 'silence' })
  assert.deepEqual(host.cause, { kind: 'start' })
})

test('6.4.1: Startup of the address owner is master at once', () => {
  const host = new Host({ basePriority: 255 }).start(5)
  assert.equal(host.as('master').since, 5_000_000)
  assert.deepEqual(host.cause, { kind: 'owner' })
  assert.deepEqual(host.did, ['transition'])
})

test('6.4.1: an owner in a sync group with others listens as the others do', () => {
  const host = new Host({ basePriority: 255, ownerListens: true }).start()
  assert.equal(host.remaining, 3_003_906)
})

test('6.4.1: before Startup nothing that is heard matters', () => {
  const events: readonly Event[] = [
    advert(200),
    advert(0),
    { kind: 'expired' },
    { kind: 'held', at: us(0) },
    { kind: 'tick' },
    { kind: 'group', group: 'G', want: 'master' },
    { kind: 'resigned', why: 'lapsed', lateUs: us(0) },
    { kind: 'faults', faults: [] },
  ]
  for (const event of events) {
    const host = new Host().feed(event, 1)
    assert.equal(host.state.kind, 'init', event.kind)
    assert.deepEqual(host.last.effects, [])
  }
})

test('6.4.1: what is known before Startup counts: the priority, and a fault keeps it from listening', () => {
  const host = new Host().feed({ kind: 'priority', effective: 150 }).start()
  assert.equal(host.remaining, 3_000_000 + 414_062)
  const faulty = new Host().feed({ kind: 'faults', faults: [linkDown] }).start(1)
  assert.deepEqual(faulty.as('fault').faults, [linkDown])
})

test('6.4.1: Shutdown ends it for good, from every state', () => {
  const hosts = [
    new Host(),
    new Host().start(),
    new Host().becomeMaster(),
    new Host().feed({ kind: 'faults', faults: [linkDown] }),
  ]
  for (const host of hosts) {
    const from = host.state.kind
    host.feed({ kind: 'stop' })
    assert.deepEqual(host.last.effects, [
      { kind: 'transition', from, to: 'stopped', cause: { kind: 'stop' } },
    ])
    host.start().feed(advert(1)).feed({ kind: 'expired' }).feed({ kind: 'stop' })
    assert.equal(host.state.kind, 'stopped')
    assert.deepEqual(host.last.effects, [])
  }
})
