/** The control socket from both ends: what is said, what is refused, and what a bad client can cost. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Packr } from 'msgpackr/pack'
import { OpError } from '../../../src/base/errors.ts'
import {
  controlConnectionsMax,
  controlFrameBytesMax,
  controlRequestBytesMax,
} from '../../../src/base/limits.ts'
import type { Log } from '../../../src/base/log.ts'
import { ControlError, request, requestStatus } from '../../../src/control/client.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import {
  encodeFrame,
  FrameReader,
  readRequest,
  readResponse,
  verbs,
} from '../../../src/control/protocol.ts'
import { refusalOf } from '../../../src/control/rights.ts'
import {
  type ControlHandlers,
  type ControlTimes,
  NotYet,
  startControl,
} from '../../../src/control/server.ts'
import { aStatus } from '../cli/a-status.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-control-'))
after(() => rmSync(dir, { recursive: true }))

const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  flush: async () => {},
}

/** A daemon with nothing to do. */
const idle: ControlHandlers = {
  transitions: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
  events: new EventFeed(),
  status: () => aStatus,
  reload: async () => ({ ok: true, diagnostics: [], changes: [] }),
  failover: async () => [],
  drain: async () => [],
  upgrade: () => Promise.reject(new Error('unused')),
  left: () => undefined,
  resume: () => [],
  observe: () => ({
    schema: 1,
    host: '',
    configPath: '',
    fromMs: 0,
    untilMs: 0,
    checks: [],
    instances: [],
  }),
  results: () => new Uint8Array(),
  push() {},
  stop() {},
}

let sockets = 0
async function serving(
  handlers: Partial<ControlHandlers>,
  act: (path: string) => Promise<void>,
  times?: ControlTimes,
) {
  const path = join(dir, `${sockets++}.sock`)
  const control = await startControl({
    path,
    log: silent,
    handlers: { ...idle, ...handlers },
    ...(times ? { times } : {}),
  })
  try {
    await act(path)
  } finally {
    await control.close()
  }
  assert.equal(existsSync(path), false, 'the socket is gone after close')
}

/** Everything that arrives until the other end closes. */
async function drained(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part) => parts.push(part))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(parts)
}

const body = (frame: Buffer) => frame.subarray(4)

test('a request and its answer', async () => {
  await serving({}, async (path) => {
    assert.deepEqual(await requestStatus(path), JSON.parse(JSON.stringify(aStatus)))
    assert.deepEqual(await request(path, 'ping', { timeoutMs: 1_000 }), {
      pid: process.pid,
      protocol: 1,
    })
    const history = await request(path, 'history', { timeoutMs: 1_000, name: 'VI_web' })
    assert.equal((history as { name: string }[]).length, 1)
  })
})

test('several requests in one write are answered in order', async () => {
  await serving({}, async (path) => {
    const socket = connect(path)
    const ids = [7, 8, 9]
    socket.end(Buffer.concat(ids.map((id) => encodeFrame({ id, verb: 'ping' }, 1_000))))
    const answers = new FrameReader(controlFrameBytesMax).push(await drained(socket)) ?? []
    const got = answers.map((answer) => readResponse(answer))
    assert.deepEqual(
      got.map((g) => g.ok && g.value.id),
      ids,
    )
  })
})

test('a handler that throws is a refusal, and the server goes on', async () => {
  await serving({ reload: () => Promise.reject(new Error('disk on fire')) }, async (path) => {
    await assert.rejects(request(path, 'reload', { timeoutMs: 1_000 }), {
      failure: 'refused',
      message: 'disk on fire',
    })
    await assert.rejects(request(path, 'history', { timeoutMs: 1_000, name: 'no' }), {
      failure: 'unknown-name',
    })
    await request(path, 'ping', { timeoutMs: 1_000 })
  })
})

test('what has failed is logged as an error; a wrong name, or a start that goes on, is not', async () => {
  const path = join(dir, `${sockets++}.sock`)
  const errors: string[] = []
  const control = await startControl({
    path,
    log: { ...silent, error: (line) => void errors.push(line) },
    handlers: {
      ...idle,
      reload: () => Promise.reject(new Error('disk on fire')),
      drain: () => Promise.reject(new NotYet('the daemon is still starting')),
    },
  })
  const ask = (verb: 'reload' | 'drain' | 'history') =>
    assert.rejects(request(path, verb, { timeoutMs: 1_000, name: 'no' }))
  try {
    for (const verb of ['reload', 'drain', 'history'] as const) await ask(verb)
  } finally {
    await control.close()
  }
  assert.deepEqual(errors, ['control: reload failed: disk on fire'])
})

test('stop is answered before it begins', async () => {
  let stopped = false
  await serving(
    {
      stop() {
        stopped = true
      },
    },
    async (path) => {
      await request(path, 'stop', { timeoutMs: 1_000 })
      await request(path, 'ping', { timeoutMs: 1_000 })
      assert.equal(stopped, true)
    },
  )
})

test('garbage gets one error frame and a closed connection', async () => {
  const pack = (value: unknown) => {
    const packed = new Packr({ useRecords: false }).pack(value)
    const frame = Buffer.alloc(4 + packed.length)
    frame.writeUInt32BE(packed.length)
    frame.set(packed, 4)
    return frame
  }
  const cases: [Buffer, string][] = [
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'frame-too-large'],
    [Buffer.from([0xff, 0xff, 0xff, 0xff]), 'frame-too-large'],
    [Buffer.from([0, 0, 0, 0]), 'not-msgpack'],
    [Buffer.from([0, 0, 0, 2, 0x80, 0x80]), 'not-msgpack'],
    [Buffer.from([0, 0, 0, 5, 0xdd, 0x01, 0xff, 0xff, 0xff]), 'not-msgpack'],
    [pack({ id: 1, verb: 'Format disk' }), 'not-a-request'],
    [pack({ id: 1, verb: 'transitions', after: -1 }), 'not-a-request'],
    [pack({ id: -1, verb: 'ping' }), 'not-a-request'],
    [pack({ id: 1, verb: 'history', name: 'x'.repeat(256) }), 'not-a-request'],
    [pack({ id: 1, verb: 'history', name: { length: 1 } }), 'not-a-request'],
    [pack([1, 'ping']), 'not-a-request'],
    [pack({ id: 1, verb: 'ping', at: new Date() }), 'not-msgpack'],
  ]
  await serving({}, async (path) => {
    for (const [bytes, why] of cases) {
      const socket = connect(path)
      socket.write(bytes)
      const answer = await drained(socket)
      const read = readResponse(body(answer))
      assert.ok(read.ok && !read.value.ok, why)
      assert.equal(read.value.code, why)
      assert.equal(answer.readUInt32BE(0), answer.length - 4)
    }
  })
})

test('what a few octets claim is not believed', () => {
  const nested = Buffer.concat([Buffer.alloc(60_000, 0x91), Buffer.from([0xc0])])
  const wide = Buffer.from([0xdc, 0xff, 0xff, ...new Array<number>(100).fill(0xc0)])
  const bigMap = Buffer.from([0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1, 0x61])
  const bigText = Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61])
  const record = Buffer.from([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01])
  for (const bytes of [nested, wide, bigMap, bigText, record]) {
    assert.deepEqual(readRequest(bytes), { ok: false, why: 'not-msgpack' })
  }
})

test('any octets: a value or a named reason, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(typeof readRequest(bytes).ok, 'boolean')
      assert.equal(typeof readResponse(bytes).ok, 'boolean')
    }),
    { numRuns: 5_000 },
  )
  const frame = body(encodeFrame({ id: 3, verb: 'history', name: 'VI_1' }, 1_000))
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(frame)
      damaged[at] = value
      assert.equal(typeof readRequest(damaged).ok, 'boolean')
    }),
  )
})

test('requests and plain results survive the way, however the octets are cut', () => {
  const requests = fc.record(
    { id: fc.nat(), verb: fc.constantFrom(...verbs), name: fc.string({ maxLength: 255 }) },
    { requiredKeys: ['id', 'verb'], noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(requests, { maxLength: 5 }), fc.array(fc.nat(40)), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map((r) => encodeFrame(r, controlRequestBytesMax)))
      const reader = new FrameReader(controlRequestBytesMax)
      const bodies: Buffer[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        bodies.push(...(reader.push(bytes.subarray(at, at + cut)) ?? assert.fail('too large')))
        at += cut
      }
      assert.deepEqual(
        bodies.map((b) => readRequest(b)),
        sent.map((value) => ({ ok: true, value })),
      )
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'))
      const plain = JSON.parse(JSON.stringify(value)) as unknown
      const frame = encodeFrame({ id: 1, ok: true, result: plain }, controlFrameBytesMax)
      const read = readResponse(body(frame))
      assert.ok(read.ok && read.value.ok)
      assert.deepEqual(JSON.parse(JSON.stringify(read.value.result)), plain)
    }),
  )
})

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
      ...['transitions', 'events'],
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
