/** The control socket: bounds, who may ask, and what a client makes of a daemon that does not answer. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { controlConnectionsMax, controlFrameBytesMax } from '../../../src/base/limits.ts'
import { ControlError, request, requestStatus } from '../../../src/control/client.ts'
import { encodeFrame, verbs } from '../../../src/control/protocol.ts'
import { refusalOf } from '../../../src/control/rights.ts'
import { startControl } from '../../../src/control/server.ts'
import { aStatus } from '../cli/a-status.ts'
import { dir, drained, idle, serving, silent } from './a-server.ts'

test('a status too large for a frame is an error, not a dead daemon', async () => {
  const warnings = ['x'.repeat(controlFrameBytesMax)]
  await serving({ status: () => ({ ...aStatus, warnings }) }, async (path) => {
    await assert.rejects(requestStatus(path), { failure: 'refused' })
    await request(path, 'ping', { timeoutMs: 1_000 })
  })
})

test('1,000 connections at once: the bound holds, the rest is turned away, places become free', async () => {
  await serving({}, async (path) => {
    const all = Array.from({ length: 1_000 }, () => connect(path))
    const outcomes = all.map(async (socket) => {
      socket.on('error', () => {})
      socket.write(encodeFrame({ id: 1, verb: 'ping' }, 100))
      return Promise.race([
        once(socket, 'data').then(() => 'answered'),
        once(socket, 'close').then(() => 'turned away'),
      ]).catch(() => 'turned away')
    })
    const got = await Promise.all(outcomes)
    assert.equal(got.filter((o) => o === 'answered').length, controlConnectionsMax)
    for (const socket of all) socket.destroy()
    for (let tries = 0; ; tries++) {
      try {
        await request(path, 'ping', { timeoutMs: 1_000 })
        break
      } catch (error) {
        if (tries > 50) throw error
      }
    }
  })
})

test('a client that sends half a request, or nothing, is dropped', async () => {
  const times = { requestMs: 50, handlerMs: 1_000, answerMs: 1_000 }
  await serving(
    {},
    async (path) => {
      for (const bytes of [Buffer.alloc(0), Buffer.from([0, 0, 0, 9, 0x82])]) {
        const socket = connect(path)
        if (bytes.length > 0) socket.write(bytes)
        assert.equal((await drained(socket)).length, 0)
      }
    },
    times,
  )
})

test('a client that does not read its answers is dropped, others are served meanwhile', async () => {
  const warnings = ['x'.repeat(4_000_000)]
  const times = { requestMs: 10_000, handlerMs: 1_000, answerMs: 100 }
  await serving(
    { status: () => ({ ...aStatus, warnings }) },
    async (path) => {
      const slow = connect(path)
      slow.on('error', () => {})
      slow.pause()
      slow.write(encodeFrame({ id: 1, verb: 'status' }, 100))
      await request(path, 'ping', { timeoutMs: 1_000 })
      const dropped = new Promise<void>((resolve) => {
        const writeAgain = () => {
          if (slow.destroyed) resolve()
          else slow.write(encodeFrame({ id: 2, verb: 'ping' }, 100), () => setImmediate(writeAgain))
        }
        writeAgain()
      })
      await dropped
      await request(path, 'ping', { timeoutMs: 1_000 })
    },
    times,
  )
})

test('a handler that takes too long is answered with an error', async () => {
  const times = { requestMs: 1_000, handlerMs: 30, answerMs: 1_000 }
  await serving(
    { reload: () => new Promise(() => {}) },
    async (path) => {
      await assert.rejects(request(path, 'reload', { timeoutMs: 1_000 }), { failure: 'refused' })
    },
    times,
  )
})

test('the socket is for its owner alone', async () => {
  chmodSync(dir, 0o755)
  await serving({}, async (path) => {
    assert.equal(statSync(path).mode & 0o777, 0o600)
    if (process.getuid?.() !== 0) return
    const script = `require('net').connect(${JSON.stringify(path)}).on('error', e => { console.log(e.code); process.exit() }).on('connect', () => { console.log('in'); process.exit() })`
    const other = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534 })
    // A user namespace that knows no other user has no user to keep out.
    if ((other.error as NodeJS.ErrnoException | undefined)?.code === 'EINVAL') return
    assert.equal(other.stdout.toString().trim(), 'EACCES')
  })
})

test('a living daemon keeps its run directory, a dead one leaves it', async () => {
  await serving({}, async (path) => {
    const second = startControl({
      path,
      log: silent,
      handlers: idle,
    })
    await assert.rejects(second, (e) => e instanceof OpError && e.code === 'EADDRINUSE')
    await request(path, 'ping', { timeoutMs: 1_000 })
  })
  const stale = join(dir, 'stale.sock')
  const kill = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', kill])
  assert.ok(existsSync(stale))
  const control = await startControl({
    path: stale,
    log: silent,
    handlers: idle,
  })
  await request(stale, 'ping', { timeoutMs: 1_000 })
  await control.close()
})

test('a path that is no socket, or too long for one, is refused by name', async () => {
  const handlers = idle
  const file = join(dir, 'file')
  writeFileSync(file, 'precious')
  await assert.rejects(startControl({ path: file, log: silent, handlers }), { code: 'EEXIST' })
  const long = join(dir, 'x'.repeat(108))
  await assert.rejects(startControl({ path: long, log: silent, handlers }), {
    code: 'ENAMETOOLONG',
  })
})

test('the client tells no daemon from no answer and from nonsense', async () => {
  await assert.rejects(
    request(join(dir, 'none.sock'), 'ping', { timeoutMs: 1_000 }),
    (e) => e instanceof ControlError && e.failure === 'unreachable',
  )
  const said: (Buffer | null)[] = [null, Buffer.from('HTTP/1.1 400\r\n\r\n'), Buffer.alloc(0)]
  const failures = ['timeout', 'protocol', 'protocol']
  for (const [i, bytes] of said.entries()) {
    const path = join(dir, `odd${i}.sock`)
    const server = createServer((socket) => {
      socket.on('error', () => {})
      if (bytes !== null) socket.end(bytes)
    }).listen(path)
    await once(server, 'listening')
    await assert.rejects(request(path, 'ping', { timeoutMs: 100 }), { failure: failures[i] })
    server.close()
  }
})

test('a group reads or pushes over a socket of its own, and the refusal of anything else says which users may', async () => {
  const done: string[] = []
  const handlers = {
    ...idle,
    push: (name: string) => done.push(name),
    stop: () => done.push('stop'),
  }
  const gid = process.getgid?.() ?? 0
  const open = async (right: 'read' | 'push') => {
    const path = join(dir, `${right}.sock`)
    return { path, control: await startControl({ path, log: silent, handlers, right, gid }) }
  }
  const [read, push] = [await open('read'), await open('push')]
  try {
    for (const { path } of [read, push]) {
      const { mode, gid: group } = statSync(path)
      assert.deepEqual([mode & 0o777, group], [0o660, gid])
    }
    const ask = (path: string, verb: (typeof verbs)[number]) =>
      request(path, verb, { timeoutMs: 5_000, name: 'x' }).then(
        () => 'answered',
        (error: ControlError) => `${error.failure}: ${error.message}`,
      )
    for (const verb of verbs) {
      for (const [right, path] of [
        ['read', read.path],
        ['push', push.path],
      ] as const) {
        const refusal = refusalOf(verb, right)
        const answer = await ask(path, verb)
        if (refusal === null) assert.doesNotMatch(answer, /^denied/)
        else assert.equal(answer, `denied: ${refusal}`)
      }
    }
    assert.deepEqual(done, ['x'])
    const permitted = (right: 'read' | 'push') =>
      verbs.filter((it) => refusalOf(it, right) === null)
    assert.deepEqual(permitted('read'), [
      ...['ping', 'status', 'history', 'observe'],
      ...['transitions', 'claims', 'events'],
    ])
    assert.deepEqual(permitted('push'), ['ping', 'push'])
    assert.match(
      await ask(read.path, 'drain'),
      /drain is not permitted here: this socket lets a group only read .*; the daemon's user \(root\) may drain/,
    )
    assert.match(await ask(read.path, 'push'), /\(root\) and the group of vipd_push_group may push/)
  } finally {
    await Promise.all([read.control.close(), push.control.close()])
  }
})
