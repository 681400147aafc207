/** Frames with a MAC address of this host: its own that a switch or a tap returns, or another machine's that has the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { describeClaim } from '../../../src/router/claims/describe.ts'
import { arpFrame } from '../wire/claim-frames.ts'
import {
  advert,
  type Claimed,
  gratuitous,
  mac,
  one,
  other,
  own,
  Segment,
  vip,
} from './claim-segment.ts'
import { ip } from './facts.ts'

describe('a MAC address of this host', () => {
  const asks = (n: number): Uint8Array =>
    arpFrame({ operation: 1, mac: own, sender: vip, target: ip(`172.16.80.${n}`) })

  test('another machine has it: reported as such from its second frame, and never announced against', () => {
    const segment = new Segment(one({ addressClaim: 'defend' }))
    segment.hears(gratuitous(own))
    assert.deepEqual([segment.claims, segment.looks], [[], [3]])
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    for (let i = 0; i < 60; i++) {
      segment.hears(gratuitous(own))
      segment.after(1.5)
    }
    assert.deepEqual(segment.claims, [`V1 172.16.80.100 ${own} announced eth0`])
    assert.deepEqual(segment.announced(), [])
    const [event] = segment.stage.happened.filter((it): it is Claimed => it.kind === 'claim')
    assert.equal(event?.sameMac, true)
    const [claimant] = segment.stage.named('V1').claimants.at(us(segment.now))
    assert.deepEqual([claimant?.sameMac, claimant?.count], [true, 60])
    assert.ok(claimant !== undefined)
    assert.match(describeClaim(claimant, 0), /another machine with the MAC address of this host/)
  })

  test('what this host has sent within a second is its own, for as long as it comes back', () => {
    const segment = new Segment(one({ addressClaim: 'defend' }))
    for (let i = 0; i < 100; i++) {
      const frame = i % 3 === 0 ? gratuitous(own) : asks(i)
      segment.sends(frame)
      segment.after(0.002)
      segment.hears(frame)
      segment.after(i % 2 === 0 ? 0.3 : 3)
    }
    assert.deepEqual([segment.claims, segment.announced()], [[], []])
  })

  test('a frame that is read before the one that it is a copy of', () => {
    const segment = new Segment(one())
    segment.hears(asks(7))
    segment.after(5)
    segment.hears(asks(8))
    segment.sends(asks(8))
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    segment.sends(asks(9))
    segment.hears(asks(10))
    segment.after(5)
    assert.equal(segment.claims.length, 1, 'but another one than was sent is another machine’s')
  })

  test('it listens no more after three of its own, for a minute, and ever more rarely; nor after five minutes of silence', () => {
    const segment = new Segment(one())
    const reflected = (times: number): void => {
      for (let i = 0; i < times; i++) {
        segment.sends(asks(i))
        segment.hears(asks(i))
        segment.after(1)
      }
    }
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    reflected(4)
    assert.deepEqual(segment.looks, [])
    reflected(50)
    assert.deepEqual(segment.looks, [], 'within a minute')
    segment.after(20)
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    reflected(4)
    segment.after(70)
    reflected(1)
    assert.deepEqual(segment.looks, [], 'two minutes now')
    segment.after(60)
    reflected(1)
    assert.deepEqual(segment.looks, [3])
    segment.after(301)
    assert.deepEqual([segment.looks, segment.claims], [[], []])
  })

  test('cannot be told: more is sent than is seen, a loop, what is for one alone', () => {
    const segment = new Segment(one())
    segment.hears(asks(1))
    segment.after(2)
    for (let i = 0; i < 8; i++) segment.sends(asks(20 + i))
    segment.after(1)
    segment.hears(asks(2))
    segment.after(5)
    segment.hears(asks(3), { count: 40 })
    segment.hears(arpFrame({ operation: 1, mac: own, sender: vip, target: other, to: mac }))
    segment.after(5)
    assert.deepEqual(segment.claims, [])
    segment.hears(asks(4))
    segment.after(5)
    assert.equal(segment.claims.length, 1)
  })

  test('it listens where the address is and no longer than it leads', () => {
    const segment = new Segment(one())
    segment.hears(gratuitous(own))
    assert.deepEqual(segment.looks, [3])
    segment.stage.dispatcher.onEngine([advert(segment.stage, 200)])
    segment.after(0.1)
    assert.deepEqual([...segment.stage.frames.watches], [])
  })
})
