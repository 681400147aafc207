/** What the addon gives to checks: connections, programs, echoes and news, in threads that come and go. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { bindings } from '../../src/addon/bindings.ts'
import { errnoName } from '../../src/addon/errno.ts'
import { startProgram } from '../../src/programs/start.ts'

test('dial: accepted and refused are told apart, each by its own socket', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  const { port } = server.address() as AddressInfo
  const told = new Map<number, number>()
  const open = new Set<number>()
  await new Promise<void>((resolve) => {
    const set = bindings().openDial((decided) => {
      for (let i = 0; i < decided.length; i += 2) {
        const [socket = -1, errno = 0] = [decided[i], decided[i + 1]]
        told.set(socket, errno)
        bindings().hangUp(socket)
      }
      if (told.size === open.size) {
        set.close()
        resolve()
      }
    })
    const keepAlive = setTimeout(() => undefined, 10_000)
    after(() => clearTimeout(keepAlive))
    const good = bindings().dial(set.fd, Uint8Array.of(127, 0, 0, 1), port)
    const bad = bindings().dial(set.fd, Uint8Array.of(127, 0, 0, 1), 1)
    assert.ok(good > 2 && bad > 2 && good !== bad)
    open.add(good).add(bad)
  })
  assert.deepEqual(
    [...told.values()].toSorted((a, b) => a - b),
    [0, 111],
  )
  assert.equal(errnoName(111), 'ECONNREFUSED')
})

test('a program: its status, its signal, and no zombie after it', async () => {
  const ended = (args: readonly string[]) =>
    new Promise((resolve) =>
      startProgram(
        { file: '/bin/sh', args, output: null, runAs: null, noNewPrivs: false },
        resolve,
      ),
    )
  assert.deepEqual(await ended(['-c', 'exit 7']), { status: 7 })
  assert.deepEqual(await ended(['-c', 'kill -TERM $$']), { signal: 'SIGTERM' })
  // Signals that this process ignores or blocks are as usual for the child.
  assert.deepEqual(await ended(['-c', 'kill -PIPE $$']), { signal: 'SIGPIPE' })
  assert.deepEqual(await ended(['-c', 'test "$(pwd)" = / && test -z "$(cat)"']), { status: 0 })
  const zombies = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const [, state, parent] =
        /\) (\S) (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? []
      return state === 'Z' && Number(parent) === process.pid
    } catch {
      return false
    }
  })
  assert.deepEqual(zombies, [])
})

test('threads that end in the middle of it take no other with them', async () => {
  const file = new URL('./sockets-of-checks-thread.js', import.meta.url)
  for (let round = 0; round < 8; round++) {
    const threads = Array.from({ length: 4 }, () => new Worker(file))
    await Promise.all(
      threads.map(
        (thread) =>
          new Promise((resolve, reject) => {
            thread.once('message', resolve)
            thread.once('error', reject)
          }),
      ),
    )
    // Another moment of their work in each round.
    await new Promise((resolve) => setTimeout(resolve, 5 * round))
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
})
