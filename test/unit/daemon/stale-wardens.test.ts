/** The wardens that earlier daemons left behind: found by their lock, waited for, and killed if they stand still. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { endStaleWardens } from '../../../src/daemon/stale-wardens.ts'
import { wardenLock } from '../../../src/daemon/warden.ts'
import { lockHolder } from '../../../src/engine/native.ts'
import { until } from '../../../src/lab/wait.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-stale-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, flush: async () => {} }

/** A process with the lock that a warden holds; ends when its input does. */
async function holder(): Promise<ChildProcess & { readonly pid: number }> {
  const hold = `
import fcntl, sys
file = open(sys.argv[1], "a+")
fcntl.lockf(file, fcntl.LOCK_SH)
print("held", flush=True)
sys.stdin.read()`
  const child = spawn('python3', ['-c', hold, wardenLock(dir)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  assert.ok(child.pid !== undefined)
  return Object.assign(child, { pid: child.pid })
}

test('there is none', async () => {
  await endStaleWardens(dir, quiet)
  assert.equal(lockHolder(wardenLock(dir)), null)
})

test('one that is about to end is waited for, not killed', async () => {
  const busy = await holder()
  assert.equal(lockHolder(wardenLock(dir)), busy.pid)
  let ended = false
  const all = endStaleWardens(dir, quiet).then(() => {
    ended = true
  })
  const exit = once(busy, 'exit')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(ended, false)
  busy.stdin?.end()
  assert.deepEqual(await exit, [0, null])
  await all
})

test('those that stand still are killed, all of them', async () => {
  const frozen = [await holder(), await holder()]
  const exits = frozen.map((child) => once(child, 'exit'))
  for (const child of frozen) process.kill(child.pid, 'SIGSTOP')
  await endStaleWardens(dir, quiet)
  assert.equal(lockHolder(wardenLock(dir)), null)
  for (const exit of exits) assert.deepEqual(await exit, [null, 'SIGKILL'])
})

test('a lock that was let go is no longer a reason to kill', async () => {
  const other = await holder()
  other.stdin?.end()
  await once(other, 'exit')
  await until('the lock is free', 10_000, () => lockHolder(wardenLock(dir)) === null)
  await endStaleWardens(dir, quiet)
})
