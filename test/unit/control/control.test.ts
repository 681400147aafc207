/** The control socket from both ends: what is said, what is refused, and what a bad client can cost. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Packr } from 'msgpackr/pack'
import { controlFrameBytesMax, controlRequestBytesMax } from '../../../src/base/limits.ts'
import { request, requestStatus } from '../../../src/control/client.ts'
import {
  encodeFrame,
  FrameReader,
  readRequest,
  readResponse,
  verbs,
} from '../../../src/control/protocol.ts'
import { NotYet, startControl } from '../../../src/control/server.ts'
import { fc } from '../../property.ts'
import { aStatus } from '../cli/a-status.ts'
import { drained, idle, newPath, serving, silent } from './a-server.ts'

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
  const path = newPath()
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
