/** An upgrade as the running process sees it: whatever becomes of its successor before the instant, it goes on and says why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadAddon } from '../../../src/addon/load.ts'
import type { Log } from '../../../src/base/log.ts'
import { Gate } from '../../../src/daemon/gate.ts'
import { Channel } from '../../../src/daemon/upgrade-channel.ts'
import { FirstOfTwo, UpgradeRefused } from '../../../src/daemon/upgrade-first.ts'
import {
  exchangeProtocol,
  type FromFirst,
  type FromSecond,
} from '../../../src/daemon/upgrade-messages.ts'
import { Predecessor } from '../../../src/daemon/upgrade-second.ts'
import {
  type PassableParts,
  type PassedState,
  passedVersion,
  readPassed,
} from '../../../src/daemon/upgrade-state.ts'

const addon = loadAddon() as { socketPair(): readonly [number, number] }
const longMs = 60_000
const times = {
  ...{ start: longMs, adopt: longMs, give: longMs, attempts: longMs, again: 1, serving: longMs },
}

const wakeups = { untilUs: [], counts: [], sumUs: 0 }

/** `router`: what the dispatcher answers for a state, in turn; the last one from then on. */
function stage(router: readonly object[] = [{ version: 1 }], given: Partial<typeof times> = {}) {
  const said: string[] = []
  const calls: string[] = []
  const note = (text: string) => void said.push(text)
  const log: Log = { debug() {}, info: note, warn: note, error: note, flush: async () => {} }
  const [near, far] = addon.socketPair()
  const second = new Channel<FromSecond, FromFirst>(far)
  const gate = new Gate()
  let turn = 0
  const parts = {
    dispatcher: {
      config: { statics: { rules: [] }, instances: [], bfd: [] },
      instances: [{ name: 'VI_1', slot: 7 }],
      state: () => router[Math.min(turn++, router.length - 1)],
    },
    ownership: { snapshot: () => ({ recorded: [] }) },
    settings: { snapshot: () => [] },
    links: { snapshot: () => [] },
    tables: { snapshot: () => ({ noAccept: { applied: null }, lease: { applied: null } }) },
    pool: { snapshot: () => [] },
    notifier: { snapshot: () => ({ mailed: [], madeFifos: [] }) },
    bfd: { withdraw: () => void calls.push('withdraw sessions') },
    succession: { figures: () => ({ wakeups, slots: [] }) },
    counts: { total: {} },
    delays: { snapshot: () => [] },
    record: { started: () => undefined, pass: (attempts: number) => ({ attempts }) },
  } as unknown as PassableParts
  const first = new FirstOfTwo({
    ...{ parts, gate, log, version: '1.0' },
    engine: { flush: async () => void calls.push('flush') },
    succession: {
      offer: (_, attempt) => void calls.push(`offer ${attempt}`),
      withdraw: (forGood) => void calls.push(forGood ? 'withdraw for good' : 'withdraw'),
      ready: () => undefined,
      takeAltering: () => [],
      figures: () => ({ wakeups, slots: [] }),
      countOnFrom: () => undefined,
    },
    start: () => ({ pid: -1, channel: near, sockets: -1, exchange: {} }),
    leave: async (pid) => void calls.push(`leave ${pid}`),
    lost: () => void calls.push('lost'),
    times: { ...times, ...given },
  })
  const prepared = (of: object = {}) =>
    second.send({
      kind: 'prepared',
      protocol: exchangeProtocol,
      version: '1.1',
      reads: passedVersion,
      ...of,
    } as FromSecond)
  const hear = async (kind: FromFirst['kind']) => {
    const message = await second.next(longMs)
    assert.equal(message?.kind, kind)
    return message
  }
  /** The successor reads the state, and is ready to take the slots. */
  const adopted = async () => {
    await prepared()
    await hear('hello')
    await hear('state')
    await second.send({ kind: 'adopted', attempt: 1 })
  }
  return { first, second, gate, said, calls, prepared, hear, adopted }
}

/** It goes on: nothing waits, nothing is offered, and the reason is in the log. */
async function goesOn(
  { gate, said, calls }: ReturnType<typeof stage>,
  run: Promise<unknown>,
  why: RegExp,
): Promise<void> {
  await assert.rejects(run, (error) => error instanceof UpgradeRefused && why.test(error.message))
  assert.equal(gate.isShut, false)
  assert.match(said.at(-1) ?? '', new RegExp(`^Upgrade refused, process ${process.pid} goes on: `))
  assert.match(said.at(-1) ?? '', why)
  assert.equal(calls.includes('withdraw for good'), true)
  assert.equal(
    calls.some((it) => it.startsWith('leave')),
    false,
  )
}

test('a successor that cannot be started', () => {
  const start = () => {
    throw new Error('ENOENT')
  }
  const ports = { start } as unknown as ConstructorParameters<typeof FirstOfTwo>[0]
  assert.throws(
    () => new FirstOfTwo(ports),
    (error) => error instanceof UpgradeRefused && /cannot be started: ENOENT/.test(error.message),
  )
})

test('a successor that ends, refuses or hangs before it is ready', async () => {
  const ends = stage()
  const ended = ends.first.run()
  ends.second.close()
  await goesOn(ends, ended, /process -1 has ended/)

  const refuses = stage()
  const refused = refuses.first.run()
  await refuses.second.send({ kind: 'refused', why: 'vipd.conf:3: unknown keyword' })
  await goesOn(refuses, refused, /vipd\.conf:3: unknown keyword/)

  const hangs = stage(undefined, { start: 20 })
  await goesOn(hangs, hangs.first.run(), /it was not ready within 0\.02 s/)
  hangs.second.close()
})

test('a successor that reads another version of the state, or speaks another protocol', async () => {
  for (const reads of [passedVersion - 1, passedVersion + 1]) {
    const it = stage()
    const run = it.first.run()
    await it.prepared({ reads })
    await goesOn(it, run, new RegExp(`vipd 1\\.1 reads version ${reads} of the state`))
  }
  const it = stage()
  const run = it.first.run()
  await it.prepared({ protocol: exchangeProtocol + 1 })
  await goesOn(it, run, /speaks version/)
})

test('a state of another version is not read, older or newer', () => {
  assert.deepEqual(readPassed({ version: passedVersion }), { version: passedVersion })
  for (const version of [passedVersion - 1, passedVersion + 1, String(passedVersion), undefined]) {
    const why = readPassed({ version })
    assert.equal(typeof why, 'string')
    assert.match(String(why), new RegExp(`reads version ${passedVersion}`))
  }
})

test('a successor that refuses the state, ends with it, or does not take the slots', async () => {
  const refuses = stage()
  const refused = refuses.first.run()
  await refuses.hear('hello')
  await refuses.prepared()
  await refuses.hear('state')
  assert.equal(refuses.gate.isShut, true)
  await refuses.second.send({ kind: 'refused', why: 'VI_1 is another virtual router here' })
  await goesOn(refuses, refused, /another virtual router/)

  const ends = stage()
  const ended = ends.first.run()
  await ends.adopted()
  ends.second.close()
  await goesOn(ends, ended, /process -1 has ended/)

  const waits = stage(undefined, { give: 5, attempts: 10 })
  const waited = waits.first.run()
  await waits.adopted()
  void (async () => {
    for (let attempt = 2; !waits.second.ended; attempt++)
      if ((await waits.second.next(longMs)) !== null)
        await waits.second.send({ kind: 'adopted', attempt })
  })()
  await goesOn(waits, waited, /still on their way/)
})

test('a successor whose engine refuses what is given: the reason is its, and at once', async () => {
  const it = stage()
  const run = it.first.run()
  await it.adopted()
  it.first.over('what was passed in shared memory is damaged')
  await goesOn(it, run, /what was passed in shared memory is damaged$/)
  it.second.close()
})

test('what happens while the state is passed is judged here, and the next state is offered', async () => {
  const it = stage([
    { version: 1, n: 1 },
    { ok: false, why: 'VI_1 is about to take over' },
    { version: 1, n: 3 },
  ])
  const run = it.first.run()
  await it.prepared()
  await it.hear('hello')
  await it.hear('state')
  const done: string[] = []
  it.gate.run(() => done.push('an advert'))
  it.gate.run(() => done.push('a check'))
  assert.equal(done.length, 0)
  await it.second.send({ kind: 'adopted', attempt: 1 })
  const next = await it.hear('state')
  assert.equal(done.join(), 'an advert,a check')
  assert.equal(next.kind === 'state' && next.attempt, 3)
  assert.deepEqual(next.kind === 'state' && (next.state as { router: unknown }).router, {
    version: 1,
    n: 3,
  })
  await it.second.send({ kind: 'adopted', attempt: 3 })
  it.first.gave()
  await it.hear('left')
  await it.second.send({ kind: 'serving' })
  assert.deepEqual(await run, {
    pid: -1,
    version: '1.1',
    from: { pid: process.pid, version: '1.0' },
    afterwards: 'serves',
  })
  it.second.close()
  // What comes now is the successor's to judge.
  it.gate.run(() => done.push('too late'))
  assert.equal(done.includes('too late'), false)
  assert.deepEqual(
    it.calls.filter((call) => call !== 'flush'),
    ['offer 1', 'withdraw', 'withdraw sessions', 'offer 3', 'leave -1'],
  )
})

test('a stop ends it, unless the slots are given', async () => {
  const stops = stage()
  const run = stops.first.run()
  await stops.prepared()
  await stops.hear('hello')
  await stops.hear('state')
  assert.equal(await stops.first.abort('the daemon is to stop'), true)
  await stops.second.send({ kind: 'adopted', attempt: 1 })
  await goesOn(stops, run, /the daemon is to stop/)

  const early = stage()
  const waits = early.first.run()
  await early.hear('hello')
  assert.equal(await early.first.abort('the daemon is to stop'), true)
  await goesOn(early, waits, /the daemon is to stop/)
  early.second.close()

  const late = stage()
  const leaves = late.first.run()
  await late.prepared()
  await late.hear('hello')
  await late.hear('state')
  late.first.gave()
  // Its successor dies at once: that is its own warden's business.
  late.second.close()
  const { pid, afterwards } = await leaves
  assert.deepEqual({ pid, afterwards }, { pid: -1, afterwards: 'ended' })
  assert.deepEqual(late.calls.slice(-2), ['leave -1', 'lost'])
  assert.match(late.said.at(-1) ?? '', /process -1 has ended since: its warden gives up/)

  const both = stage()
  const stopped = both.first.run()
  await both.adopted()
  both.first.gave()
  await both.hear('left')
  assert.equal(await both.first.abort('the daemon is to stop'), false)
  // The stop has been passed on to it.
  both.second.close()
  assert.equal((await stopped).afterwards, 'stopped')
  assert.equal(both.calls.includes('lost'), false)

  const busy = stage(undefined, { serving: 20 })
  const comes = busy.first.run()
  // It takes the slots only once it has said so: without this word the other waits for it.
  await busy.adopted()
  busy.first.gave()
  assert.equal((await comes).afterwards, 'late')
  assert.equal(busy.calls.includes('lost'), false)
  busy.second.close()
})

/** The other side: a process that is to succeed, and what the first says to it. */
function second() {
  const [near, far] = addon.socketPair()
  const first = new Channel<FromFirst, FromSecond>(far)
  return { first, predecessor: new Predecessor(near, {}) }
}

test('the farewell, or the end, of the process before may come before the word that the slots are taken', async () => {
  for (const how of ['left', 'ends'] as const) {
    const { first, predecessor } = second()
    const taken = predecessor.takeSlots('1.1', (state) => state as PassedState)
    assert.equal((await first.next(longMs))?.kind, 'prepared')
    await first.send({ kind: 'state', attempt: 1, state: { version: passedVersion } })
    assert.deepEqual(await first.next(longMs), { kind: 'adopted', attempt: 1 })
    if (how === 'left') await first.send({ kind: 'left' })
    else first.close()
    await new Promise((resolve) => setImmediate(resolve))
    predecessor.took()
    await taken
    await predecessor.left()
    await predecessor.serving()
    first.close()
  }
})

test('a process before that has gone before it gave the slots is not succeeded', async () => {
  const { first, predecessor } = second()
  const taken = predecessor.takeSlots('1.1', (state) => state as PassedState)
  first.close()
  await assert.rejects(taken, /has gone/)
})

test('a process before that ends while this one still starts ends this one at once, and not once the slots are taken', async () => {
  const starting = second()
  starting.first.close()
  await assert.rejects(starting.predecessor.gone, /has gone/)

  const { first, predecessor } = second()
  const taken = predecessor.takeSlots('1.1', (state) => state as PassedState)
  predecessor.took()
  await taken
  first.close()
  const gone = await Promise.race([predecessor.gone.catch(() => 'gone'), predecessor.left()])
  assert.notEqual(gone, 'gone')
})

test('a state that is not adopted ends it with the reason', async () => {
  const { first, predecessor } = second()
  const taken = predecessor.takeSlots('1.1', () => 'VI_1 is another virtual router here')
  await first.next(longMs)
  await first.send({ kind: 'state', attempt: 1, state: {} })
  await assert.rejects(taken, /another virtual router/)
  first.close()
})
