/** Supervised threads against every way in which a thread can fail: what is reported, how often, and what goes on. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Journal, until } from '../../../src/lab/wait.ts'
import { startPatience } from '../../../src/threads/patience.ts'
import {
  SupervisedThread,
  type Supervision,
  usualBackOff,
} from '../../../src/threads/supervised.ts'
import { type Loss, Thread } from '../../../src/threads/thread.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-threads-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** Opening it for reading is a system call that nothing but a writer ends. */
const fifo = (name: string): string => {
  const path = join(root, name)
  execFileSync('mkfifo', [path])
  return path
}
const release = (path: string) => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)

const code = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`)
/** Does as it is told: echoes, throws, ends, spins, hangs in a system call, ignores. */
const obedient = code(`
  import { parentPort } from 'node:worker_threads'
  import { openSync } from 'node:fs'
  parentPort.on('message', ([word, argument]) => {
    if (word === 'throw') throw new Error(argument)
    if (word === 'exit') process.exit()
    if (word === 'spin') for (;;);
    if (word === 'open') openSync(argument, 'r')
    if (word !== 'ignore') parentPort.postMessage(word)
  })`)

type Order = readonly [word: string, argument?: string]

function supervise(
  more: Partial<Supervision<Order, string>> & {
    file?: URL
    name?: string
    heap?: number
    data?: unknown
    yields?: number
  } = {},
) {
  const { file = obedient, name = 'test', heap = 64, data, yields = 0, ...how } = more
  const said = new Journal<string>()
  const losses = new Journal<Loss>()
  const counts: number[] = []
  const worth: number[] = []
  let starts = 0
  const thread = new SupervisedThread<Order, string>({
    body: () => {
      starts += 1
      return { file, name, data, yields, heapMegabytes: heap, keepsProcess: true }
    },
    onMessage: (message) => said.push(message),
    onLost: (loss, { count, worthSaying }) => {
      counts.push(count)
      if (worthSaying) worth.push(count)
      losses.push(loss)
    },
    backOff: null,
    hangingMax: 4,
    queueMax: 2,
    ...how,
  })
  const lost = (count: number) =>
    losses.next(`loss ${count}`, 60_000, () => losses.items.length >= count, count - 1)
  const says = (word: string, from = 0) => said.next(word, 60_000, (item) => item === word, from)
  return { thread, said, says, lost, losses, counts, worth, starts: () => starts }
}

const patient = { everyMs: 50, hangMs: 400, ping: ['pong'] as Order, isAnswer: isPong }
function isPong(message: string): boolean {
  return message === 'pong'
}

test('a thread that throws, ends or spins is reported once with its reason, and the next message starts another one', async () => {
  const { thread, says, said, lost, losses } = supervise({ heartbeat: patient })
  thread.post(['hello'])
  await says('hello')
  const faults: readonly [Order, Loss['kind'], RegExp][] = [
    [['throw', 'planted'], 'crashed', /^crashed: planted$/],
    [['exit'], 'ended', /^ended$/],
    [['spin'], 'hung', /^gave no answer for 400 ms$/],
  ]
  for (const [i, [order, kind, why]] of faults.entries()) {
    thread.post(order)
    const loss = await lost(i + 1)
    assert.deepEqual([loss.kind, loss.ready], [kind, true])
    assert.match(loss.why, why)
    await loss.gone
    const from = said.items.length
    thread.post(['again'])
    await says('again', from)
  }
  assert.equal(losses.items.length, 3)
  await thread.stop(['exit'], 60_000)
  assert.equal(losses.items.length, 3, 'a stop is no loss')
  assert.equal(thread.post(['hello']), false)
})

test('one that cannot be started: no such file, no such scheme, no memory, what cannot be sent to it', async () => {
  const cases: readonly [{ file?: URL; heap?: number; data?: unknown }, Loss['kind'], RegExp][] = [
    [{ file: new URL('./nowhere.js', import.meta.url) }, 'crashed', /Cannot find module/],
    [{ file: new URL('http://127.0.0.1/x.js') }, 'crashed', /^crashed: Only URLs with a scheme/],
    [{ data: () => 0 }, 'not-started', /^cannot be started: /],
    [{ file: code('let a = []; for (;;) a.push([a])'), heap: 8 }, 'crashed', /memory/],
  ]
  for (const [body, kind, why] of cases) {
    const { thread, lost } = supervise(body)
    thread.post(['hello'])
    const loss = await lost(1)
    assert.deepEqual([loss.kind, loss.ready], [kind, false])
    assert.match(loss.why, why)
    await loss.gone
    assert.equal(thread.running, false)
  }
})

test('a stop waits no longer than it says for a thread that does not answer, nor for one that hangs', async () => {
  const deaf = supervise()
  deaf.thread.post(['hello'])
  await deaf.says('hello')
  await deaf.thread.stop(['ignore'], 50)
  const path = fifo('stop')
  const { thread, says } = supervise()
  thread.post(['hello'])
  thread.post(['open', path])
  await says('hello')
  await thread.stop(null, 50)
  release(path)
})

test('threads that hang are left behind, so many at most; when one has gone it goes on', async () => {
  const paths = [fifo('hang-0'), fifo('hang-1')]
  const { thread, lost, said, says } = supervise({ hangingMax: 2 })
  for (const [i, path] of paths.entries()) {
    const from = said.items.length
    thread.post(['hello'])
    await says('hello', from)
    assert.equal(thread.post(['open', path]), true)
    thread.expect(100)
    const loss = await lost(i + 1)
    assert.equal(loss.kind, 'hung')
  }
  assert.equal(thread.blocked, true)
  assert.equal(thread.post(['hello']), false, 'no third thread')
  for (const path of paths) release(path)
  await until('one has gone', 60_000, () => !thread.blocked)
  const from = said.items.length
  thread.post(['hello'])
  await says('hello', from)
  await thread.stop(null, 60_000)
})

test('successors that do not last come ever later; the series is counted, and what waits is delivered once', async () => {
  const back = { ...usualBackOff, firstMs: 30, mostMs: 120 }
  const { thread, lost, counts, said, says, starts } = supervise({ backOff: back })
  const times: number[] = []
  for (let n = 1; n <= 4; n++) {
    thread.post(['throw', `number ${n}`])
    await lost(n)
    times.push(performance.now())
  }
  assert.deepEqual(counts, [1, 2, 3, 4])
  // From the second loss on: 30, 60 ms at least before the successor could throw.
  assert.ok((times[2] ?? 0) - (times[1] ?? 0) >= 29, `${times}`)
  assert.ok((times[3] ?? 0) - (times[2] ?? 0) >= 59, `${times}`)
  assert.equal(thread.running, false)
  assert.deepEqual(
    ['a', 'b', 'c'].map((word) => thread.post([word])),
    [true, true, false],
    'two wait; the third is refused',
  )
  await says('b')
  assert.deepEqual(said.items, ['a', 'b'])
  assert.equal(starts(), 5)
  await thread.stop(null, 60_000)
})

test('of a series of losses for one reason the first is worth saying, and the 10th', async () => {
  const { thread, lost, worth } = supervise()
  for (let n = 1; n <= 12; n++) {
    thread.post(n === 12 ? ['exit'] : ['throw', 'planted'])
    await lost(n)
  }
  assert.deepEqual(worth, [1, 10, 12], 'another reason is said at once')
})

test('a thread without work ends and is no loss; the next message starts another one', async () => {
  const { thread, says, losses, starts } = supervise({ idleMs: 20 })
  thread.post(['hello'])
  await says('hello')
  thread.answered()
  await until('it has ended', 60_000, () => !thread.running)
  thread.post(['more'])
  await says('more')
  assert.deepEqual([starts(), losses.items.length], [2, 0])
  await thread.stop(null, 60_000)
})

test('it yields to the thread that started it, and to no other', async () => {
  const niceOf = (thread: string) => Number(/\) (?:\S+ ){16}(\S+)/.exec(thread)?.[1])
  const own = () => niceOf(readFileSync('/proc/thread-self/stat', 'utf8'))
  const before = own()
  const { thread, said } = supervise({
    file: code(`
      import { parentPort } from 'node:worker_threads'
      import { readFileSync } from 'node:fs'
      parentPort.on('message', () => parentPort.postMessage(readFileSync('/proc/thread-self/stat', 'utf8')))`),
    yields: 5,
  })
  thread.post(['stat'])
  const stat = await said.next('its state', 60_000, () => true)
  assert.equal(niceOf(String(stat)), Math.min(19, before + 5))
  assert.equal(own(), before)
  await thread.stop(null, 60_000)
})

test('the kernel knows it by its name, of 15 octets at most', async () => {
  const { thread, said } = supervise({
    file: code(`
      import { parentPort } from 'node:worker_threads'
      import { readFileSync } from 'node:fs'
      parentPort.on('message', () => parentPort.postMessage(readFileSync('/proc/thread-self/comm', 'utf8')))`),
    name: 'vipd-and-very-long',
  })
  thread.post(['name'])
  assert.equal(await said.next('its name', 60_000, () => true), 'vipd-and-very-l\n')
  await thread.stop(null, 60_000)
})

test('what it writes goes to its owner', async () => {
  const written = new Journal<string>()
  const body = {
    file: code('console.log("one"); console.error("two"); setInterval(() => 0, 1000)'),
    name: 'test',
    heapMegabytes: 64,
    keepsProcess: true as const,
    onOutput: (text: string) => written.push(text),
  }
  const thread = new Thread<never, never>(body, { onMessage: () => 0, onLost: () => 0 })
  await written.next(
    'both',
    60_000,
    () => /one/.test(`${written.items}`) && /two/.test(`${written.items}`),
  )
  await thread.stop(null, 60_000)
})

test('a bound counts slices: a loop that stalled for longer than all of it has lost one', async () => {
  let expired = false
  const over = new Promise<void>((resolve) => {
    startPatience(200, () => {
      expired = true
      resolve()
    })
  })
  const stall = new Int32Array(new SharedArrayBuffer(4))
  Atomics.wait(stall, 0, 0, 500)
  // The late timer, and what the loop does behind it.
  await new Promise((resolve) => setTimeout(resolve, 1))
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  assert.equal(expired, false)
  await over
  const ended = startPatience(4, () => assert.fail('it was ended'))
  ended()
  // Longer than its bound: that it does not expire shows in time alone.
  await new Promise((resolve) => setTimeout(resolve, 20))
})
