/** The stream of events over the control socket: order, slow readers, too many of them, versions that differ. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Packr } from 'msgpackr/pack'
import { controlStreamsMax } from '../../../src/base/limits.ts'
import { readEvents, request } from '../../../src/control/client.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { encodeFrame } from '../../../src/control/protocol.ts'
import { startControl } from '../../../src/control/server.ts'
import { until } from '../../../src/lab/wait.ts'
import type { DaemonEvent } from '../../../src/report/event.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-events-'))
after(() => rmSync(dir, { recursive: true }))
const soonMs = 30_000
const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: async () => undefined }
const unused = () => {
  throw new Error('not asked for')
}

let sockets = 0
async function serving(act: (path: string, feed: EventFeed) => Promise<void>) {
  const path = join(dir, `${sockets++}.sock`)
  const events = new EventFeed()
  const handlers = {
    ...{ status: unused, reload: unused, failover: unused, drain: unused, resume: unused },
    ...{
      upgrade: unused,
      left: unused,
      observe: unused,
      results: unused,
      push: unused,
      transitions: unused,
      claims: unused,
      stop: unused,
    },
  }
  const control = await startControl({ path, log, handlers: { ...handlers, events } })
  try {
    await act(path, events)
  } finally {
    await control.close()
  }
}

const check = (name: string, why = 'exit 1'): DaemonEvent => ({
  ...{ kind: 'check', name, good: false, why },
  ...{ at: '2026-11-28T03:00:00.000Z', number: null },
})

test('a reader gets what happened of late, and then each event once, in order', async () => {
  await serving(async (path, feed) => {
    feed.publish(check('before'))
    const heard: string[] = []
    const end = new AbortController()
    const reading = readEvents(
      path,
      {
        take: (events, recent) => {
          for (const event of events)
            if (event.kind === 'check') heard.push(`${recent ? 'recent ' : ''}${event.name}`)
          return undefined
        },
      },
      end.signal,
    )
    await until('the reader is there', soonMs, () => heard.length === 1)
    const many = Array.from({ length: 1_000 }, (_, i) => `${i}`)
    for (const name of many) feed.publish(check(name))
    await until('all are there', soonMs, () => heard.length >= 1_001)
    assert.deepEqual(heard, ['recent before', ...many])
    end.abort()
    await reading
  })
})

test('a reader that does not read is dropped, and the others are not', async () => {
  await serving(async (path, feed) => {
    let heard = 0
    let begun = false
    const end = new AbortController()
    const take = (events: readonly DaemonEvent[]) => {
      heard += events.length
      begun = true
      return undefined
    }
    const reading = readEvents(path, { take }, end.signal)
    await until('the reader is there', soonMs, () => begun)
    const lazy = connect(path)
    lazy.pause()
    lazy.write(encodeFrame({ id: 9, verb: 'events' }, 1_000))
    let published = 0
    const gone = new Promise<void>((resolve) => lazy.once('close', () => resolve()))
    lazy.on('error', quiet)
    await until('the octets do not fit any more', soonMs, async () => {
      for (let i = 0; i < 100; i += 1) feed.publish(check(`${published++}`, 'x'.repeat(1_000)))
      return published > 20_000
    })
    await until('the reader has them all', soonMs, () => heard >= published)
    lazy.resume()
    await gone
    end.abort()
    await reading
  })
})

test('one reader too many is refused with a sentence; a place that is left is free', async () => {
  await serving(async (path) => {
    const ends: AbortController[] = []
    let begun = 0
    const read = () => {
      const end = new AbortController()
      ends.push(end)
      const take = () => {
        begun += 1
        return undefined
      }
      return readEvents(path, { take }, end.signal)
    }
    const readers = Array.from({ length: controlStreamsMax }, read)
    await until('all read', soonMs, () => begun >= controlStreamsMax)
    await assert.rejects(read(), { failure: 'refused', message: /16 programs read events already/ })
    ends[0]?.abort()
    await readers[0]
    await until('a place is free', soonMs, async () => {
      const before = begun
      const tried = read().catch(() => null)
      return await Promise.race([
        tried.then(() => false),
        until('begun', soonMs, () => begun > before).catch(() => false),
      ])
    })
    for (const end of ends) end.abort()
    await Promise.all(readers)
  })
})

test('a newer client gets a sentence, and the connection goes on', async () => {
  await serving(async (path) => {
    const unknown = request(path, 'teleport' as 'ping', { timeoutMs: 5_000 })
    await assert.rejects(unknown, {
      failure: 'protocol',
      message: /is older than this vipd and does not know teleport/,
    })
    assert.deepEqual(await request(path, 'ping', { timeoutMs: 5_000 }), {
      pid: process.pid,
      protocol: 1,
    })
  })
})

test('a daemon from before the verb is told from one that speaks nonsense', async () => {
  const path = join(dir, 'old.sock')
  const body = new Packr({ useRecords: false }).pack({
    ...{ id: 0, ok: false, code: 'not-a-request', error: 'not a control request: not-a-request' },
  })
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  const old = createServer((socket) => socket.end(Buffer.concat([head, body])))
  await new Promise<void>((resolve) => old.listen(path, resolve))
  const take = () => undefined
  await assert.rejects(readEvents(path, { take }, new AbortController().signal), {
    message: /is older than this vipd and does not know events/,
  })
  old.close()
})
