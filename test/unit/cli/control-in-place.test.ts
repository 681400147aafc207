/** After an upgrade the control socket of the process before may answer for a while: this one has the slots, and must not end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { controlInPlace } from '../../../src/cli/control-in-place.ts'
import type { ControlHandlers } from '../../../src/control/server.ts'

test('the socket is opened once nothing answers there any more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vipd-in-place-'))
  const path = join(directory, 'vipd.sock')
  const said: string[] = []
  const note = (text: string) => void said.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note, flush: async () => {} }
  const before = createServer((socket) => socket.destroy()).listen(path)
  await once(before, 'listening')
  let open = false
  const opened = controlInPlace({ path, log, handlers: {} as ControlHandlers }, log)
  opened.then(
    () => {
      open = true
    },
    () => undefined,
  )
  // It has looked, found that the other answers, and looks again.
  await once(before, 'connection')
  await once(before, 'connection')
  assert.equal(open, false)
  before.close()
  await (await opened).close()
  assert.deepEqual(said, [])
  rmSync(directory, { recursive: true })
})
