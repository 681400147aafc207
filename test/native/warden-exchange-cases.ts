/** What the engine that gives its slots away sees to first: that its warden asks the word, and waits. Cases of engine.test.ts. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { EngineOptions } from '../../src/engine/contract.ts'
import { exchangeState, makeCore, makeExchange } from '../../src/engine/core-harness.ts'
import { lockHolder, startEngine } from '../../src/engine/native.ts'
import type { Order, Plan } from '../../src/engine/order.ts'
import { enginePolicy } from '../../src/engine/policy.ts'
import { add, leadWith, spec, until, vip } from './lan.ts'
import { quiet } from './remote.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-exchange-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const patienceMs = 60_000
let sides = 0

/** An engine with a warden. */
async function side(options: EngineOptions = quiet) {
  const told: string[] = []
  const all = startEngine(
    options,
    (batch) => told.push(...batch.map(({ kind }) => kind)),
    ({ what }) => told.push(what),
  )
  sides += 1
  const lock = join(dir, `warden${sides}`)
  all.guard.startWarden(lock, 'text')
  await until(() => lockHolder(lock) !== null, patienceMs)
  const lead = (slots: readonly number[], order: Order, generation = 1): Promise<void> => {
    all.engine.order(slots.map((slot) => ({ slot, generation, order })))
    return all.engine.flush()
  }
  return { ...all, told, warden: lockHolder(lock) ?? 0, lead }
}

/** A new way to give up the lead each time, of some 60 kB. */
const resign = (round: number): Plan =>
  Array.from({ length: 600 }, (_, i) => add(vip(`10.${round}.${i >> 8}.${i & 255}`))).flat()

test('nothing is given before the warden has been told of the word, which it would act without', async (t) => {
  const exchange = makeExchange()
  const [first, second] = [await side(), await side({ ...quiet, succeeds: exchange })]
  let stands = false
  const stand = (still: boolean) => {
    if (still !== stands) process.kill(first.warden, still ? 'SIGSTOP' : 'SIGCONT')
    stands = still
  }
  t.after(() => {
    stand(false)
    for (const { engine } of [second, first]) engine.stop()
  })
  const link = first.engine.openLink(spec({ receiveBufferBytes: null }))
  const slots = Array.from({ length: 20 }, (_, i) => i + 1)
  for (const slot of slots) first.engine.addSlot(slot, link, slot)
  stand(true)
  // More than waits in a socket.
  for (let round = 0; round < 30; round++)
    await first.lead(slots, leadWith([], { repeats: [], resign: resign(round) }), round)
  first.succession.offer(exchange, 1)
  second.succession.ready(1, new Map())
  await until(() => exchangeState(exchange) !== 'preparing', patienceMs)
  // Turns of the first engine's thread, in each of which it could give.
  for (let i = 0; i < 5; i++) await first.engine.flush()
  assert.equal(exchangeState(exchange), 'ready')
  stand(false)
  await until(() => second.told.includes('took'), patienceMs)
})

/** Within the time for which slots are given. */
const wardenLateUs = us(enginePolicy.exchangeUs.takenMost * 0.85)

/** A lead is given, not taken, and taken back. Whether the warden has acted meanwhile. */
async function actsMeanwhile(): Promise<boolean> {
  const exchange = makeExchange()
  const first = await side()
  try {
    const link = first.engine.openLink(spec({ receiveBufferBytes: null }))
    first.engine.addSlot(1, link, 1)
    await first.lead([1], leadWith([], { repeats: [], wardenLateUs }))
    const beats = first.guard.beats()
    await until(() => first.guard.beats() > beats + 1, patienceMs)
    // Ready, and takes nothing.
    const second = makeCore(us(0), us(0)).exchange
    second.hold(exchange)
    second.ready(1, new Map())
    second.sayReady()
    await until(() => {
      first.succession.offer(exchange, 1)
      return exchangeState(exchange) !== 'ready'
    }, patienceMs)
    // Its thread answers when it has the slots back.
    for (let i = 0; i < 2; i++) await first.engine.flush()
    return first.told.some((what) => what === 'late' || what === 'over')
  } finally {
    first.engine.stop()
  }
}

test('while what was given is not taken the warden waits with its engine', async () => {
  // By rights it acts when the machine stands still for so long, but not each time.
  for (let left = 3; left > 0; left--) if (!(await actsMeanwhile())) return
  assert.fail('it acted each time')
})
