/** Adverts, deadlines and the engine's life: cases of engine.test.ts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Us, us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { startEngine } from '../../src/engine/native.ts'
import type { Lead, Order, Plan } from '../../src/engine/order.ts'
import { vrrpFilter } from '../../src/wire/bpf.ts'
import {
  add,
  carryOut,
  empty,
  engine,
  events,
  follow,
  groups,
  held,
  leadWith,
  newSlot,
  next,
  order,
  ours,
  peer,
  peerIfindex,
  remove,
  repeat,
  spec,
  theirs,
  until,
  vip,
} from './lan.ts'
import { quiet } from './remote.ts'

const nativeModule = new URL('../../src/engine/native.js', import.meta.url).href

for (const family of [4, 6] as const) {
  for (const cast of ['multicast', 'unicast'] as const) {
    test(`adverts over IPv${family} ${cast}: heard, then expected and silent, then missed`, async () => {
      const multicast = cast === 'multicast'
      const group = multicast ? groups[family] : null
      const vrid = multicast ? 51 : 52
      const filter = vrrpFilter({ family, vrids: [vrid], multicast })
      const sending = await peer.call('openLink', {
        ...spec({ family, group, filter, source: theirs[family] }),
        interface: 'vb',
        ifindex: peerIfindex,
      })
      const to = group ?? ours[family]
      const link = engine.openLink(spec({ family, group, filter, source: ours[family] }))
      const slot = newSlot()
      engine.addSlot(slot, link, vrid)
      await peer.call('addSlot', slot, sending, vrid)
      const payload = Uint8Array.of(0x31, vrid, 100, 0, 0, 100, 0, 0)
      const generation = order(slot, follow({}))
      const leading: Order = leadWith([{ kind: 'datagram', link: sending, to, bytes: payload }])
      await peer.call('order', [{ slot, generation: 1, order: leading }])

      const heard = await next('packet', slot)
      assert.deepEqual(
        { ...heard, at: 0, count: 1 },
        { ...heard, generation, link, from: theirs[family], ttl: 255, payload, at: 0, count: 1 },
      )

      order(slot, follow({ expect: heard, deadlineUs: us(heard.at + 1_000_000) }))
      await engine.flush()
      events.length = 0
      const from = engine.counters(slot).received
      await until(() => engine.counters(slot).received >= from + 60)
      assert.deepEqual(events, [], 'sixty expected adverts wake no thread of JavaScript')
      assert.ok((engine.counters(slot).lastExpectedUs ?? 0) > heard.at)
      const before = engine.wakeups()
      assert.equal(before.counts.length, before.untilUs.length + 1)

      const resign = Uint8Array.of(0x31, vrid, 0, 0, 0, 100, 0, 0)
      const now: Plan = [{ kind: 'datagram', link: sending, to, bytes: resign }]
      await peer.call('order', [{ slot, generation: 2, order: { kind: 'idle', now } }])
      assert.deepEqual((await next('packet', slot)).payload, resign)
      const last = engine.counters(slot).lastExpectedUs ?? 0
      const expired = await next('expired', slot)
      assert.equal(expired.deadlineUs, last + 1_000_000)
      assert.ok(expired.at >= expired.deadlineUs)
      const wakeups = engine.wakeups()
      const more = (i: number) => (wakeups.counts[i] ?? 0) - (before.counts[i] ?? 0)
      assert.equal(
        wakeups.counts.reduce((sum, _, i) => sum + more(i), 0),
        1,
        'one deadline has passed',
      )
      assert.ok(wakeups.sumUs >= before.sumUs)
      assert.equal(engine.linkCounters(link).unclaimed, 0)
      order(slot, { kind: 'idle', now: [] })
      engine.removeSlot(slot)
      engine.closeLink(link)
    })
  }
}

/** The main thread stands still until then. */
function standUntil(condition: () => boolean): void {
  const end = performance.now() + 30_000
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (!condition()) {
    assert.ok(performance.now() < end, 'it never came')
    Atomics.wait(never, 0, 0, 5)
  }
}

test('the filter keeps out what is not ours, and can be changed while running', async () => {
  const vrids = [61]
  const filter = vrrpFilter({ family: 4, vrids, multicast: true })
  const link = engine.openLink(spec({ filter }))
  const slot = newSlot()
  engine.addSlot(slot, link, 62)
  order(slot, follow({}))
  const sending = await peer.call('openLink', {
    ...spec({ source: theirs[4] }),
    interface: 'vb',
    ifindex: peerIfindex,
  })
  await peer.call('addSlot', slot, sending, 62)
  const bytes = Uint8Array.of(0x21, 62, 100, 0)
  const plan: Plan = [{ kind: 'datagram', link: sending, to: groups[4], bytes }]
  await peer.call('order', [{ slot, generation: 1, order: leadWith(plan) }])
  await until(async () => (await peer.call('counters', slot)).sent >= 10)
  assert.equal(engine.linkCounters(link).received, 0)
  engine.setFilter(link, vrrpFilter({ family: 4, vrids: [62], multicast: true }))
  assert.deepEqual((await next('packet', slot)).payload, bytes)
  assert.throws(() => engine.setFilter(link, new Uint8Array(8).fill(255)), { code: 'EINVAL' })

  // A thousand equal packets at once: a few events with a count, and none lost on the way.
  order(slot, { kind: 'idle', now: [] })
  await peer.call('order', [{ slot, generation: 2, order: { kind: 'idle', now: [] } }])
  await engine.flush()
  order(slot, follow({}))
  await engine.flush()
  events.length = 0
  const flood = Array.from({ length: 1000 }, () => plan[0] ?? assert.fail())
  const before = engine.linkCounters(link).received
  const sent = peer.call('order', [{ slot, generation: 3, order: { kind: 'once', now: flood } }])
  // The order leaves this process; then nothing is taken up here, however slowly the flood comes, until there is plenty.
  await new Promise((turned) => setImmediate(turned))
  standUntil(() => engine.linkCounters(link).received - before >= 100)
  await sent
  await engine.flush()
  const raised = events.filter((e) => e.kind === 'packet')
  const heardCount = raised.reduce((n, e) => n + e.count, 0)
  assert.ok(raised.length < heardCount / 2, `${raised.length} events for ${heardCount} packets`)
  engine.removeSlot(slot)
  engine.closeLink(link)
})

test('a main thread that hangs: the lead resigns, a follow keeps silent', async () => {
  const seen: EngineEvent[] = []
  const livenessUs = us(200_000)
  const { engine: leased } = startEngine({ ...quiet, livenessUs }, (batch) => seen.push(...batch))
  const link = leased.openLink(spec())
  leased.addSlot(1, link, 71)
  leased.addSlot(2, link, 72)
  const sent: Plan = [{ kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 71) }]
  leased.renew()
  leased.order([
    { slot: 1, generation: 7, order: leadWith(sent, { resign: add(vip('10.9.7.7')) }) },
    { slot: 2, generation: 8, order: follow({ deadlineUs: us(leased.now() + 300_000) }) },
  ])
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  Atomics.wait(asleep, 0, 0, 500)
  assert.ok(held().includes('10.9.7.7'), 'the resign plan was carried out while we hung')
  // The first thing that a thawed thread does is to refresh its lead: it must not go on leading.
  leased.order([{ slot: 1, generation: 9, order: leadWith(sent) }])
  const sentBefore = leased.counters(1).sent
  await until(() => seen.filter((e) => e.kind === 'lapsed').length === 2)
  assert.deepEqual(
    seen.flatMap((e) => ('generation' in e ? [[e.kind, e.generation]] : [])),
    [
      ['lapsed', 7],
      ['lapsed', 9],
    ],
  )
  assert.equal(leased.counters(1).sent, sentBefore)
  leased.stop()
  await carryOut(remove(vip('10.9.7.7')))
})

test('a stopped process that leads resigns when it goes on', async () => {
  const link = await peer.call('openLink', {
    ...spec({ source: theirs[4] }),
    interface: 'vb',
    ifindex: peerIfindex,
  })
  const slot = newSlot()
  await peer.call('addSlot', slot, link, 81)
  const plan: Plan = [{ kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 81) }]
  const generation = 1
  await peer.call('events')
  const order = leadWith(plan, { lateUs: us(100_000) })
  await peer.call('order', [{ slot, generation, order }])
  await until(async () => (await peer.call('counters', slot)).sent > 3)
  peer.signal('SIGSTOP')
  // Longer than `lateUs`.
  await delay(400)
  peer.signal('SIGCONT')
  let late: EngineEvent | undefined
  await until(async () => {
    const raised = await peer.call('events')
    late = raised.find((e) => e.kind === 'late')
    return late !== undefined
  })
  assert.ok(late?.kind === 'late' && late.slot === slot && late.lateUs > 100_000)
})

test('a mass take-over: one batch, and the adverts of others go on meanwhile', async () => {
  const link = engine.openLink(
    spec({ filter: vrrpFilter({ family: 4, vrids: [1], multicast: true }) }),
  )
  const bytes = Uint8Array.of(0x21, 1, 100, 0)
  const advert: Plan = [{ kind: 'datagram', link, to: groups[4], bytes }]
  const deadlineUs = us(engine.now() + 300_000)
  const own = Array.from({ length: 200 }, () => newSlot())
  const addresses = own.map((_, i) => [0, 1, 2].map((k) => vip(`10.11.${i}.${k}`)))
  for (const [i, slot] of own.entries()) engine.addSlot(slot, link, i + 1)
  const leadOf = (i: number): Lead => ({
    ...empty,
    now: [...advert, ...(addresses[i] ?? []).flatMap(add)],
    repeats: [repeat(advert, 10)],
    lateUs: us(5_000_000),
    wardenLateUs: us(4_900_000),
  })
  engine.order(
    own.map((slot, i) => ({ slot, generation: 1, order: follow({ deadlineUs }, leadOf(i)) })),
  )
  events.length = 0
  const expiries = () => events.flatMap((e) => (e.kind === 'expired' ? [e] : []))
  await until(() => expiries().length === own.length, 20_000)
  const firstAt = expiries().map((e) => e.at)
  const spreadUs = Math.max(...firstAt) - deadlineUs
  assert.ok(
    spreadUs < 3_000_000,
    `the last advert of 200 went out ${spreadUs} µs after the deadline`,
  )
  assert.equal(held().filter((a) => a.startsWith('10.11.')).length, 600)
  engine.order(
    own.map((slot, i) => ({
      slot,
      generation: 2,
      order: { kind: 'idle', now: (addresses[i] ?? []).flatMap((a) => remove(a)) },
    })),
  )
  await engine.flush()
  assert.equal(held().filter((a) => a.startsWith('10.11.')).length, 0)
  engine.closeLink(link)
})

test('stop is harmless twice, drops what waits, and refuses what comes after', async () => {
  const { engine: short, start } = startEngine({ ...quiet, realtimePriority: 1 }, () => undefined)
  assert.equal(typeof start.realtime, 'boolean')
  assert.equal(start.realtime, start.notes.length === 0)
  const flushed = short.flush()
  short.stop()
  short.stop()
  await assert.rejects(flushed, /stopped/)
  assert.throws(() => short.renew(), /stopped/)
})

test('locked memory and real-time scheduling harm neither the JavaScript heap nor the exit', () => {
  const code = `
    const { startEngine } = await import(process.argv[1])
    const options = { realtimePriority: 1, rttimeUs: 1e6, lockMemory: true, livenessUs: 0 }
    const { engine, start } = startEngine(options, () => undefined)
    for (let i = 0; i < 200; i++) new Array(100_000).fill(i)
    await engine.flush()
    if (start.locked + start.realtime + start.notes.length !== 2) throw new Error(start.notes.join())
    // No stop: leaving must be safe as it is.
    process.exit(7)`
  const args = ['--input-type=module', '-e', code, nativeModule]
  const done = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(done.status, 7, done.stderr)
})

test('a real-time thread that runs for its bound is lowered, says so, and lives', async () => {
  const seen: EngineEvent[] = []
  const boundUs = us(2_000)
  const options = { ...quiet, realtimePriority: 1, rttimeUs: boundUs }
  const { engine: bounded, start } = startEngine(options, (batch) => seen.push(...batch))
  const link = bounded.openLink(spec())
  bounded.addSlot(1, link, 93)
  // Where there is no permission there is nothing to lose.
  const wanted = start.realtime ? 1 : 0
  const lost = () => seen.filter((e) => e.kind === 'realtimeLost').length
  const policy = () => spawnSync('chrt', ['-ap', String(process.pid)], { encoding: 'utf8' }).stdout
  assert.equal(/SCHED_RR/.test(policy()), start.realtime)
  // What another process sends is not the kernel's word.
  if (start.realtime) process.kill(process.pid, 'SIGXCPU')
  await bounded.flush()
  assert.equal(lost(), 0)
  // Adverts are the engine's own work: the netlink thread, which sets addresses, pauses between them.
  const advert = { kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x31, 93) } as const
  const many = Array.from({ length: 10_000 }, () => ({
    slot: 1,
    generation: 1,
    order: { kind: 'once', now: [advert, advert] } as const,
  }))
  for (let round = 0; round < 50 && lost() < wanted; round++) {
    bounded.order(many)
    await bounded.flush()
  }
  assert.equal(lost(), wanted)
  assert.doesNotMatch(policy(), /SCHED_RR/)
  bounded.stop()
})

test('a worker that is terminated takes its engine with it', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData).then(({ startEngine }) => {
      const options = { realtimePriority: 0, rttimeUs: 0, lockMemory: false, livenessUs: 0 }
      const { engine } = startEngine(options, () => undefined)
      engine.flush().then(() => parentPort.postMessage('up'))
    })`
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(code, { eval: true, workerData: nativeModule })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
  }
})

/** Deadlines are kept while JavaScript is busy: nothing here waits for the main thread. */

test('a deadline is met while the main thread computes', async () => {
  const link = engine.openLink(spec())
  const slot = newSlot()
  engine.addSlot(slot, link, 99)
  const bytes = Uint8Array.of(0x21, 99, 1, 0)
  const deadlineUs: Us = us(engine.now() + 50_000)
  const now: Plan = [{ kind: 'datagram', link, to: groups[4], bytes }]
  order(slot, follow({ deadlineUs }, { ...empty, now }))
  const computedUs = 2_000_000
  while (engine.now() < deadlineUs + computedUs);
  const expired = await next('expired', slot)
  assert.ok(expired.at - deadlineUs < computedUs, `${expired.at - deadlineUs} µs late`)
  assert.ok(expired.doneAt >= expired.at)
  engine.removeSlot(slot)
  engine.closeLink(link)
})
