/** Errands on a thread that ends, throws, hangs in a system call or cannot be started: each is answered, and the next one is run. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Errands } from '../../../src/kernel/errands.ts'
import { until } from '../../../src/lab/wait.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-errands-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** Its input says what it does. */
const body = `
  import { parentPort } from 'node:worker_threads'
  import { openSync } from 'node:fs'
  parentPort.on('message', ({ input, args }) => {
    if (input === 'exit') process.exit()
    if (input === 'throw') throw new Error('planted')
    if (input === 'open') openSync(args[0], 'r')
    parentPort.postMessage({ ok: true, value: input })
  })`
const threadFile = new URL(`data:text/javascript,${encodeURIComponent(body)}`)

function errandsOf(file = threadFile) {
  const errands = new Errands(file)
  return (input: string, timeoutMs = 60_000, args: readonly string[] = []) =>
    errands.run({ kind: 'nft', input, args }, timeoutMs).catch((error: Error) => error.message)
}

test('a thread that ends or throws fails the errand that it had at once, and no other', async () => {
  const run = errandsOf()
  const all = ['exit', 'one', 'throw', 'two'].map((input) => run(input))
  assert.deepEqual(await Promise.all(all), [
    'nft: EIO (ended)',
    'one',
    'nft: EIO (crashed: planted)',
    'two',
  ])
  // More than may hang: threads that have ended are not counted.
  for (let n = 0; n < 6; n++) assert.equal(await run('exit'), 'nft: EIO (ended)')
  assert.equal(await run('three'), 'three')
})

test('four may hang; the errands behind them are refused until one has gone', async () => {
  const run = errandsOf()
  const paths = [0, 1, 2, 3].map((n) => join(root, `hang-${n}`))
  execFileSync('mkfifo', paths)
  assert.equal(await run('loaded'), 'loaded')
  for (const path of paths) {
    assert.equal(await run('loaded'), 'loaded')
    assert.equal(await run('open', 100, [path]), 'nft: ETIMEDOUT (no answer within 0.1 s)')
  }
  assert.equal(await run('more'), 'nft: EBUSY (4 earlier ones hang)')
  for (const path of paths) openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  await until('one has gone', 60_000, async () => (await run('more')) === 'more')
})

test('a thread that cannot be started is an error, not a wait', async () => {
  const run = errandsOf(new URL('./nowhere.js', import.meta.url))
  assert.match(await run('x'), /^nft: EIO \(crashed: Cannot find module/)
  assert.match(
    await errandsOf(new URL('http://x/'))('x'),
    /^nft: EIO \(crashed: Only URLs with a scheme/,
  )
})
