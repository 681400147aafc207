import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { Mute } from '../../../src/router/dispatch/mute.ts'

const downUs = us(3_000)
const at = (now: number, sentAt: number) => ({ now: us(now), sentAt: us(sentAt), downUs })

test('a master whose adverts leave is never looked at', () => {
  const mute = new Mute()
  assert.equal(mute.due(at(0, 0)), null)
  assert.equal(mute.look(at(99_999, 0)), null)
  assert.equal(mute.describe(at(99_999, 0)), null)
})

test('none has left for a down interval: mute, said once, until one leaves again', () => {
  const mute = new Mute()
  mute.failed('sendmmsg: EPERM', us(500), us(0))
  assert.equal(mute.due(at(1_000, 500)), 3_500)
  assert.equal(mute.look(at(3_499, 500)), null)
  assert.equal(mute.describe(at(3_499, 500)), null)
  assert.equal(mute.look(at(3_500, 500)), 'mute')
  assert.match(mute.describe(at(2_000_500, 500)) ?? '', /for 2 s \(sendmmsg: EPERM\).*firewall/)
  assert.equal(mute.due(at(3_500, 500)), 6_500)
  assert.equal(mute.look(at(6_500, 500)), null)
  assert.equal(mute.look(at(9_500, 9_400)), 'heard')
  assert.equal(mute.watches, false)
})

test('one that was refused and the next that left: nothing to say', () => {
  const mute = new Mute()
  mute.failed('sendmmsg: ENOBUFS', us(500), us(400))
  assert.equal(mute.look(at(3_500, 1_500)), null)
  assert.equal(mute.watches, false)
})

test('refused, sent, refused: counted from the later refusal; other errors in between do not put it off', () => {
  const mute = new Mute()
  mute.failed('sendmmsg: EPERM', us(500), us(400))
  mute.failed('sendmmsg: EPERM', us(1_500), us(1_000))
  mute.failed('sendmmsg: ENOBUFS', us(2_500), us(1_000))
  assert.equal(mute.due(at(2_500, 1_000)), 4_500)
  assert.equal(mute.look(at(4_500, 1_000)), 'mute')
})

test('as a fault it is lifted to try again, ever later', () => {
  const mute = new Mute()
  let now = 0
  const waits: number[] = []
  for (let i = 0; i < 7; i += 1) {
    mute.failed('sendmmsg: EPERM', us(now), us(0))
    mute.resign(us(now))
    assert.deepEqual(mute.faults, [{ kind: 'mute', why: 'sendmmsg: EPERM' }])
    mute.forget()
    const retryAt = mute.retryAt ?? us(0)
    assert.equal(mute.lift(us(retryAt - 1)), false)
    assert.equal(mute.lift(retryAt), true)
    assert.deepEqual([mute.faults, mute.retryAt], [[], null])
    waits.push((retryAt - now) / 1_000_000)
    now = retryAt
  }
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300])
})
