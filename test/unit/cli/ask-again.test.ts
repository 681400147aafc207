/** A control socket that is not there although a daemon lives is asked again, and nothing else is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { askAgain } from '../../../src/cli/ask-again.ts'
import { ControlError, requestResume, requestStatus } from '../../../src/control/client.ts'

const absent = () => new ControlError('unreachable', 'no vipd is running', '/run/vipd/vipd.sock')

test('as long as a daemon has the run directory', async () => {
  const asked: string[] = []
  let tries = 0
  const act = async () => {
    tries += 1
    if (tries < 4) throw absent()
    return 'answer'
  }
  const lives = (runDir: string) => asked.push(runDir) > 0
  assert.equal(await askAgain(act, lives), 'answer')
  assert.deepEqual(asked, ['/run/vipd', '/run/vipd', '/run/vipd'])
})

test('not where none has it, and not what may have been ordered already', async () => {
  for (const [error, living] of [
    [absent(), false],
    [new ControlError('unreachable', 'it has ended'), true],
    [new ControlError('refused', 'no'), true],
    [new Error('a bug'), true],
  ] as const) {
    let tries = 0
    const act = async () => {
      tries += 1
      throw error
    }
    await assert.rejects(
      askAgain(act, () => living),
      (thrown) => thrown === error,
    )
    assert.equal(tries, 1)
  }
})

test('the client says where no socket was', async () => {
  await assert.rejects(
    requestStatus('/nonexistent/vipd.sock'),
    (error) => error instanceof ControlError && error.absent === '/nonexistent/vipd.sock',
  )
})

test('what only reads is asked again when the daemon ended before it answered, an order is not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vipd-ask-'))
  const path = join(directory, 'vipd.sock')
  const server = createServer((socket) => socket.once('data', () => socket.end())).listen(path)
  try {
    await once(server, 'listening')
    for (const [ask, absent] of [
      [requestStatus, path],
      [requestResume, null],
    ] as const)
      await assert.rejects(
        ask(path),
        (error) => error instanceof ControlError && error.absent === absent,
      )
  } finally {
    server.close()
    rmSync(directory, { recursive: true })
  }
})
