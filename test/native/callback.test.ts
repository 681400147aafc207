/** An exception in JavaScript that C++ has called is an uncaught exception, never a warning. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { enterNamespace } from './in-namespace.ts'

const program = fileURLToPath(new URL('./throwing-callback.js', import.meta.url))

async function end(callback: string): Promise<readonly [number | null, string]> {
  const child = spawn(
    'sh',
    ['-c', `ip link set lo up && exec "$0" "$1" "$2"`, process.execPath, program, callback],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const stderr = await text(child.stderr)
  return [await ended, stderr]
}

if (await enterNamespace(import.meta.url))
  for (const callback of ['engine', 'programs', 'connections'])
    test(`a bug in the callback of ${callback} ends the process and says what it was`, async () => {
      const [status, stderr] = await end(callback)
      assert.match(stderr, /TypeError: a bug in a callback/)
      assert.doesNotMatch(stderr, /DEP0168/)
      assert.equal(status, 1)
    })
