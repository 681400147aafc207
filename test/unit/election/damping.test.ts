/** A better master that comes and goes: yielded to each time, and from the third time on waited for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { nextDeadline, refreshed } from '../../../src/election/step.ts'
import type { Event, Machine } from '../../../src/election/types.ts'
import { advert, Host, ip, params } from './host.ts'

const second = 1_000_000
const windowS = 11
/** An advert that promises the next one in 10 ms. */
const intermittent = advert(254, '10.0.0.66', us(10_000))

/** One advert of the intermittent at `at` seconds; its silence ends the visit, unless this host waits. */
function visit(host: Host, at: number): Host {
  return host.feed(intermittent, at).feed({ kind: 'expired' }, at + 0.04)
}
const extraS = (host: Host): number | undefined => {
  const extraUs = host.as('backup').damping?.extraUs
  return extraUs === undefined ? undefined : extraUs / second
}

test('twice costs nothing; the third time it is waited for until the first is eleven seconds ago', () => {
  const host = new Host().becomeMaster()
  assert.equal(extraS(host.feed(intermittent, 10)), undefined)
  host.feed({ kind: 'expired' }, 10.04)
  assert.equal(extraS(host.feed(intermittent, 10.05)), 0, 'announced briefly')
  host.feed({ kind: 'expired' }, 10.09)
  host.feed(intermittent, 10.1)
  const { damping, masterDownAt } = host.as('backup')
  assert.deepEqual(damping, { extraUs: 10_900_000, until: 21 * second })
  const down = 30_000 + Math.floor((156 / 256) * 10_000)
  assert.equal(masterDownAt, 10_100_000 + down + 10_900_000)
  assert.match(host.logged.join(), /10\.0\.0\.66 \(priority 254\) came 3 times in 11 s and left/)
  assert.deepEqual(host.last.machine.intermittent, {
    address: '10.0.0.66',
    priority: 254,
    times: 3,
    at: 10_100_000,
  })
})

test('a host takes over three times in ten seconds at most, however often the intermittent comes', () => {
  const host = new Host({ advertIntervalUs: us(100_000) }).becomeMaster()
  const tookOver: number[] = []
  for (let at = 10_000_000; at < 70_000_000; at += 50_000) {
    host.feed(intermittent, at / second)
    // What the engine and the alarm do until the next advert.
    for (let now = at; now < at + 50_000; now += 1_000) {
      const { state } = host
      if (state.kind !== 'backup') continue
      const due = nextDeadline(state)
      if (due !== null && due <= now) host.feed({ kind: 'tick' }, now / second)
      else if (state.masterDownAt <= now) {
        host.feed({ kind: 'expired' }, now / second)
        tookOver.push(now)
      }
    }
  }
  assert.ok(tookOver.length > 6, `${tookOver}`)
  for (const [i, at] of tookOver.entries()) {
    const within = tookOver.slice(i).filter((other) => other < at + 10 * second)
    assert.ok(within.length <= 3, `${within}`)
  }
})

test('a backup counts what it sees: it does not take over while the former master waits', () => {
  const master = advert(150, '10.0.0.2', us(100_000))
  const host = new Host({ advertIntervalUs: us(100_000) }).start().feed(master, 1)
  for (const at of [10, 10.1]) {
    host.feed(master, at - 0.01).feed(intermittent, at)
    host.feed(master, at + 0.04)
    assert.equal(host.as('backup').damping, null, 'the master itself is followed as ever')
  }
  host.feed(intermittent, 10.2)
  assert.equal(extraS(host), 10.8)
  assert.equal(host.last.machine.intermittent?.address, '10.0.0.66')
})

/** A pair in milliseconds: what its two engines and their wire would do. */
class Pair {
  readonly takeOvers: number[] = []
  readonly #paced = { advertIntervalUs: us(100_000), higherPrioSendAdvert: true }
  readonly better = new Host({ ...this.#paced, source: ip('10.0.0.2'), basePriority: 150 })
  readonly heir = new Host({ ...this.#paced, source: ip('10.0.0.3') })
  #spokeAt = 0

  constructor() {
    this.better.becomeMaster()
    this.heir.start().feed(this.#word(), 0.4)
  }

  #word(priority = 150): Event {
    return advert(priority, '10.0.0.2', us(100_000))
  }

  /** `overtakes`: the heir's main thread looks at the intermittent's advert only after the master's last word. */
  visit(at: number, overtakes: boolean): void {
    const led = this.better.state.kind === 'master'
    this.better.feed(intermittent, at)
    if (led && overtakes && intermittent.kind === 'advert') {
      this.heir.last = { ...this.heir.last, machine: this.#heardByEngine(at + 0.001) }
      this.heir.feed({ ...intermittent, superseded: true }, at + 0.001)
      return
    }
    this.heir.feed(intermittent, at)
    if (led) this.heir.feed(this.#word(), at + 0.001)
  }

  /** One turn of both hosts. */
  pass(at: number): void {
    for (const host of [this.better, this.heir]) this.#turn(host, at)
    if (this.better.state.kind !== 'master' || at - this.#spokeAt < 0.1) return
    this.#spokeAt = at
    this.#hear(this.heir, this.#word(), at)
  }

  #turn(host: Host, at: number): void {
    const { state } = host
    if (state.kind !== 'backup') return
    const due = nextDeadline(state)
    if (due !== null && due <= at * second) host.feed({ kind: 'tick' }, at)
    if (host.as('backup').masterDownAt > at * second) return
    host.feed({ kind: 'expired' }, at)
    this.takeOvers.push(at)
    if (host === this.better) this.#hear(this.heir, this.#word(), at)
    else this.#hear(this.better, advert(100, '10.0.0.3', us(100_000)), at)
  }

  #hear(host: Host, event: Event, at: number): void {
    const { state } = host
    const expected =
      host === this.heir && state.kind === 'backup' && state.master?.address === '10.0.0.2'
    if (expected) host.last = { ...host.last, machine: this.#heardByEngine(at) }
    else host.feed(event, at)
  }

  #heardByEngine(at: number): Machine {
    return refreshed(this.heir.params, this.heir.last.machine, us(Math.round(at * second)))
  }
}

for (const overtakes of [false, true])
  test(`both hosts together take over three times in ten seconds${overtakes ? ', the last word first' : ''}`, () => {
    const pair = new Pair()
    for (let ms = 1_000; ms < 61_000; ms += 2) {
      if (ms % 50 === 0) pair.visit(ms / 1_000, overtakes)
      else pair.pass(ms / 1_000)
    }
    const { takeOvers } = pair
    for (const at of takeOvers) {
      const within = takeOvers.filter((other) => other >= at && other < at + 10)
      assert.ok(within.length <= 3, `${takeOvers}`)
    }
    assert.ok(takeOvers.length >= 6, `${takeOvers}`)
    for (const { last } of [pair.better, pair.heir])
      assert.equal(last.machine.intermittent?.address, '10.0.0.66')
  })

test('a better master whose advert was superseded ends a preempt_delay all the same', () => {
  const host = new Host({ preemptDelayUs: us(6 * second) }).start().feed(advert(74), 1)
  assert.equal(host.as('backup').preemptAt, 7 * second)
  host.feed(
    {
      kind: 'advert',
      advert: { from: ip('10.0.0.66'), priority: 254, intervalUs: us(second) },
      superseded: true,
    },
    3,
  )
  assert.equal(host.as('backup').preemptAt, 9 * second)
})

test('two masters that speak by turns do not come and go', () => {
  const host = new Host().start()
  for (let i = 0; i < 9; i++) host.feed(advert(150), 1 + i).feed(advert(200, '10.0.0.3'), 1.5 + i)
  assert.equal(host.as('backup').damping, null)
  assert.deepEqual(host.last.machine.visits, [])
})

test('a better master that stays for five intervals is none, however often it fails', () => {
  const host = new Host({ advertIntervalUs: us(100_000) }).becomeMaster()
  const better = advert(200, '10.0.0.2', us(100_000))
  for (let i = 0; i < 9; i++) {
    const at = 10 + i
    host.feed(better, at)
    assert.equal(host.as('backup').damping, null)
    // The engine took its adverts meanwhile.
    const { machine } = host.last
    host.last = { ...host.last, machine: refreshed(host.params, machine, us((at + 0.5) * second)) }
    host.feed({ kind: 'expired' }, at + 0.9)
  }
  assert.equal(host.last.machine.intermittent, undefined)
})

test('seldom is not often', () => {
  const host = new Host().becomeMaster()
  for (let i = 1; i <= 20; i++) assert.equal(visit(host, 6 * i).state.kind, 'master')
  assert.equal(host.last.machine.intermittent, undefined)
})

test('the wait is longer after silence and after a resignation, and yielding stays immediate', () => {
  const host = visit(visit(new Host().becomeMaster(), 10), 10.1).feed(intermittent, 10.2)
  const skew = Math.floor((156 / 256) * 10_000)
  const extra = 10_800_000
  const heard = refreshed(params(), host.last.machine, us(11 * second))
  assert.ok(heard.state.kind === 'backup')
  assert.equal(heard.state.masterDownAt, 11 * second + 30_000 + skew + extra)
  host.feed(advert(0, '10.0.0.66'), 12)
  assert.equal(host.as('backup').masterDownAt, 12 * second + skew + extra)
  host.feed({ kind: 'expired' }, 23).feed(intermittent, 23.1)
  assert.equal(host.state.kind, 'backup')
})

test('a visit that a resignation ends is one', () => {
  const host = new Host().becomeMaster()
  for (let i = 0; i < 2; i++)
    host
      .feed(intermittent, 10 + i)
      .feed(advert(0, '10.0.0.66'), 10.3 + i)
      .feed({ kind: 'expired' }, 10.4 + i)
  assert.equal(extraS(host.feed(intermittent, 12)), 9)
})

test('the wait ends for all at once, and the best speaks first', () => {
  const host = visit(visit(new Host().becomeMaster(), 10), 10.1).feed(intermittent, 10.2)
  const { until } = host.as('backup').damping ?? {}
  assert.equal(until, (10 + windowS) * second)
  assert.equal(nextDeadline(host.state), until)
  host.feed({ kind: 'tick' }, 20.9)
  assert.notEqual(host.as('backup').damping, null)
  host.feed({ kind: 'tick' }, 21)
  assert.equal(host.as('backup').damping, null)
  assert.equal(host.remaining, Math.floor((156 / 256) * second), 'its skew time')
  assert.equal(host.last.order, 'replace')
})

test('of resignations the first five in ten seconds are believed', () => {
  const host = new Host().start().feed(advert(200), 1)
  const skew = Math.floor((156 / 256) * second)
  for (let i = 1; i <= 5; i++) {
    host.feed(advert(200), 1 + i / 10).feed(advert(0), 1.05 + i / 10)
    assert.equal(host.remaining, skew)
  }
  host.feed(advert(200), 1.6).feed(advert(0), 1.65)
  assert.equal(host.as('backup').masterDownAt, 1.6 * second + 3 * second + skew)
  assert.equal(host.as('backup').countdown.kind, 'restarts')
  host.feed(advert(200), 20).feed(advert(0), 20.1)
  assert.equal(host.remaining, skew)
})
