/** Resigning in favour of a peer: only of one that may be alive and is better. RFC 9568 sections 6.4.2 and 6.4.3. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advert, Host, ip, params } from './host.ts'

/** Master, having preempted a peer of that priority. */
function preempted(priority: number, over = {}): Host {
  const host = new Host({ resignOnDemotion: true, ...over }).start()
  host.feed(advert(priority), 1).feed(advert(priority), 4).feed({ kind: 'expired' }, 4.7)
  assert.equal(host.state.kind, 'master')
  return host
}

test('below a peer that was heard: resigned in its favour, and listening for a down interval', () => {
  const host = preempted(90).feed({ kind: 'priority', effective: 80 }, 10)
  const peer = { address: ip('10.0.0.2'), priority: 90 }
  assert.deepEqual(host.cause, { kind: 'demoted', ours: 80, peer })
  assert.equal(host.last.order, 'resign')
  assert.equal(host.remaining, 3_000_000 + (176 / 256) * 1_000_000)
  assert.equal(host.last.machine.effective, 80)
})

test('not below it, not unless switched on, not on the way up: the next advert says so', () => {
  for (const [over, effective] of [
    [{}, 90],
    [{}, 120],
    [{ resignOnDemotion: false }, 80],
  ] as const) {
    const host = preempted(90, over).feed({ kind: 'priority', effective }, 10)
    assert.equal(host.state.kind, 'master')
    assert.deepEqual([...host.did, host.last.order], ['replace'])
  }
})

test('serving on: the instance that is asked to leads until a better one is heard', () => {
  const host = preempted(90).feed({ kind: 'priority', effective: 1, serving: true }, 10)
  assert.equal(host.state.kind, 'master')
  host.feed(advert(90), 11)
  assert.equal(host.state.kind, 'backup')
})

test('a peer that was never heard, fell silent, or resigned is none to hand over to', () => {
  const alone = new Host({ resignOnDemotion: true }).becomeMaster()
  const silent = new Host({ resignOnDemotion: true }).start().feed(advert(150), 1)
  silent.feed({ kind: 'expired' }, 4.7)
  const resigned = preempted(90).feed(advert(0), 6)
  for (const host of [alone, silent, resigned]) {
    host.feed({ kind: 'priority', effective: 10 }, 10)
    assert.equal(host.state.kind, 'master')
  }
})

test('it is tried once: the peer must be heard again before the next time', () => {
  const host = preempted(90).feed({ kind: 'priority', effective: 80 }, 10)
  host.feed({ kind: 'expired' }, 14).feed({ kind: 'priority', effective: 70 }, 15)
  assert.equal(host.state.kind, 'master')
  host.feed(advert(60, '10.0.0.3'), 16).feed({ kind: 'priority', effective: 50 }, 17)
  assert.equal(host.state.kind, 'backup')
})

test('of several the best counts, whichever speaks last', () => {
  const host = preempted(90).feed(advert(60, '10.0.0.3'), 6)
  host.feed({ kind: 'priority', effective: 80 }, 10)
  assert.deepEqual(host.cause, {
    kind: 'demoted',
    ours: 80,
    peer: { address: ip('10.0.0.2'), priority: 90 },
  })
})

test('our own address is no peer, however high its priority', () => {
  const own = params().source
  const host = new Host({ resignOnDemotion: true }).becomeMaster().feed(advert(100, own), 9)
  host.feed({ kind: 'priority', effective: 10 }, 10)
  assert.equal(host.state.kind, 'master')
})
