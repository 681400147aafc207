/** What is said of a hand-over: given, kept, still under way, impossible, or ended by something else. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Us, us } from '../../../src/base/time.ts'
import type { State } from '../../../src/election/types.ts'
import { HandOvers } from '../../../src/router/hand-over/hand-over.ts'
import { instance, ip } from './facts.ts'

const master: State = { kind: 'master', since: us(0), rival: null }
const following: State = {
  kind: 'backup',
  master: { address: ip('172.16.80.3'), priority: 100, intervalUs: us(1_000_000) },
  masterDownAt: us(0),
  preemptAt: null,
  countdown: { kind: 'restarts' },
  wantsMaster: false,
  damping: null,
}
const faulty: State = { kind: 'fault', faults: [], silent: false }

type Settings = { readonly name: string; readonly priority?: number; readonly advertS?: number }

/** Instances that lead, and a clock that the test turns. */
function roster(context: TestContext, ...settings: readonly Settings[]) {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const did: string[] = []
  const instances = settings.map(({ name, priority = 150, advertS = 1 }) => ({
    name,
    state: master,
    cfg: instance({ name, version: 3, priority, advertIntervalUs: us(advertS * 1_000_000) }),
    assessment: {
      effective: priority,
      faults: [],
      arithmetic: '',
      standsBy: null,
    },
  }))
  const handOvers = new HandOvers({
    roster: {
      instances,
      handedOverWith: (name) => instances.filter((it) => it.name === name),
      failover: (chosen) => void did.push(`failover ${chosen.map((it) => it.name)}`),
      drained: false,
      keeps: () => false,
      drain: () => void did.push('drain'),
      keep: (chosen) => void did.push(`keep ${chosen.map((it) => it.name)}`),
      resume: (chosen) => void did.push(`resume ${chosen?.map((it) => it.name)}`),
    },
    now: () => us(now),
    settle: () => undefined,
  })
  /** Something happens to one of them, at that second. */
  const becomes = (index: number, state: State, atS: number): void => {
    const it = instances[index]
    assert.ok(it !== undefined)
    it.state = state
    now = atS * 1_000_000
    handOvers.look()
  }
  const pass = (seconds: number): Us => {
    now += seconds * 1_000_000
    context.mock.timers.tick(seconds * 1_000)
    return us(now)
  }
  return { handOvers, did, becomes, pass }
}

test('given: to which router and how long it took, once no instance that was asked leads', async (context) => {
  const { handOvers, did, becomes } = roster(context, { name: 'A' }, { name: 'B' })
  const drained = handOvers.drain()
  becomes(0, following, 3.5)
  becomes(1, following, 3.6)
  assert.deepEqual(
    (await drained).map(({ name, outcome, tookMs, to }) => [name, outcome, tookMs, to]),
    [
      ['A', 'handed-over', 3_600, '172.16.80.3'],
      ['B', 'handed-over', 3_600, '172.16.80.3'],
    ],
  )
  assert.deepEqual(did, ['drain'])
})

test('kept: after an advert, the longest down interval and a second, and then a failover is over', async (context) => {
  const { handOvers, did, pass } = roster(context, { name: 'A' })
  const asked = handOvers.failover('A')
  pass(5.99)
  assert.deepEqual(did, ['failover A'])
  pass(0.01)
  assert.deepEqual(await asked, [{ name: 'A', outcome: 'kept', tookMs: 6_000, to: null }])
  assert.deepEqual(did, ['failover A', 'resume A'])
})

test('kept in a drain: those have their priority back, the others stay drained', async (context) => {
  const { handOvers, did, becomes, pass } = roster(context, { name: 'A' }, { name: 'B' })
  const drained = handOvers.drain()
  becomes(1, following, 3.5)
  pass(6)
  assert.deepEqual(
    (await drained).map(({ name, outcome }) => [name, outcome]),
    [
      ['A', 'kept'],
      ['B', 'handed-over'],
    ],
  )
  assert.deepEqual(did, ['drain', 'keep A'])
})

test('pending, and no peer comes after the answer either: the priority is given back then', async (context) => {
  const { handOvers, did, pass } = roster(context, { name: 'A', advertS: 20 })
  const asked = handOvers.drain()
  pass(55)
  assert.equal((await asked)[0]?.outcome, 'pending')
  assert.deepEqual(did, ['drain'])
  // Its longest down interval and an advert of 20 s each, and a second.
  pass(50)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(did, ['drain', 'keep A'])
})

test('pending: what takes longer than the answer may goes on', async (context) => {
  const { handOvers, did, pass } = roster(context, { name: 'A', advertS: 20 })
  const asked = handOvers.failover('A')
  pass(55)
  assert.deepEqual(await asked, [{ name: 'A', outcome: 'pending', tookMs: 55_000, to: null }])
  assert.deepEqual(did, ['failover A'])
})

test('an owner is not waited for; a fault meanwhile is no hand-over', async (context) => {
  const { handOvers, becomes } = roster(context, { name: 'A', priority: 255 }, { name: 'B' })
  await assert.rejects(handOvers.failover('A'), /A is an address owner/)
  const drained = handOvers.drain()
  becomes(1, faulty, 1)
  assert.deepEqual(
    (await drained).map(({ name, outcome }) => [name, outcome]),
    [
      ['A', 'owner'],
      ['B', 'left'],
    ],
  )
})

test('refused by name: what is not there, and what does not lead', async (context) => {
  const { handOvers, becomes } = roster(context, { name: 'A' })
  becomes(0, following, 0)
  await assert.rejects(handOvers.failover('A'), /A is not master here/)
  await assert.rejects(handOvers.failover('B'), /no instance .* called B; there are: A/)
  assert.throws(() => handOvers.resume('B'), /no instance .* called B; there are: A/)
})
