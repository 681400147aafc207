/** The startup and shutdown scripts: on a thread, with an outcome whatever becomes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runOnThread } from '../../../src/threads/timed-program.ts'

const run = (script: string, timeoutMs = 60_000) =>
  runOnThread({
    program: { kind: 'argv', argv: ['/bin/sh', '-c', script] },
    runAs: null,
    timeoutMs,
  })

test('what became of the program', async () => {
  assert.deepEqual(await run('exit 3'), { kind: 'exit', status: 3 })
  assert.deepEqual(await run('kill -TERM $$'), { kind: 'signal', signal: 'SIGTERM' })
  assert.deepEqual(await run('sleep 60', 100), { kind: 'timeout', afterMs: 100 })
  const program = { kind: 'argv' as const, argv: ['/nowhere'] }
  const none = await runOnThread({ program, runAs: null, timeoutMs: 60_000 })
  assert.equal(none.kind, 'unable')
})

test('a thread that hangs or fails is not waited for', async () => {
  const program = { kind: 'argv' as const, argv: ['/bin/true'] }
  const thread = (body: string) => new URL(`data:text/javascript,${encodeURIComponent(body)}`)
  const spoilt = (body: string) => runOnThread({ program, runAs: null, timeoutMs: 1 }, thread(body))
  assert.deepEqual(await spoilt('for(;;);'), { kind: 'timeout', afterMs: 1 })
  assert.deepEqual(await spoilt('throw new Error("planted")'), { kind: 'unable', why: 'planted' })
})
