/** What takes over before a kernel lease ends: named in status, and in the log once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { us } from '../../../src/base/time.ts'
import type { RunningInstance } from '../../../src/router/dispatch/instance.ts'
import { Leases } from '../../../src/router/dispatch/leases.ts'
import { soonerTakeOvers } from '../../../src/router/dispatch/sooner-take-overs.ts'
import { instance } from './facts.ts'

const cfg = instance({ version: 3, advertIntervalUs: us(100_000), downTimerAdverts: 3 })
const session = (ms: number | null) => ({
  name: 'bfd/b',
  peerDetectionUs: ms === null ? null : us(ms * 1_000),
})
const mismatch = {
  ...{ from: '10.0.0.2' as Ip, why: 'interval-mismatch' as const },
  explanation: 'advert_int differs',
}

test('a session that the peer misses sooner, and a router of version 2 that follows no advert of ours', () => {
  const of = (ms: number | null) => soonerTakeOvers(cfg, { sessions: [session(ms)], ignored: [] })
  assert.match(of(299)[0] ?? '', /misses bfd\/b after 299 ms, .* ends 300 ms after an advert/)
  assert.deepEqual(of(300), [])
  assert.deepEqual(of(null), [], 'a session that is not up')
  const around = { sessions: [], ignored: [mismatch] }
  assert.match(soonerTakeOvers({ ...cfg, version: 2 }, around)[0] ?? '', /^10\.0\.0\.2 has another/)
  const wrong = { ...mismatch, why: 'bad-ttl' as const }
  assert.deepEqual(soonerTakeOvers({ ...cfg, version: 2 }, { sessions: [], ignored: [wrong] }), [])
})

test('only while a lease is in force; logged once, and again when it has been otherwise', () => {
  const lines: string[] = []
  const line = (text: string) => void lines.push(text)
  const log = { debug: line, info: line, warn: line, error: line, flush: async () => undefined }
  let lease: object | null = { leastUs: us(296_000) }
  let ms: number | null = 150
  const it = {
    ...{ name: cfg.name, cfg, receiver: { ignored: { at: () => [] } } },
    binding: {
      get facts() {
        return { lease }
      },
    },
  } as unknown as RunningInstance
  const leases = new Leases({
    roster: { instances: [it], takeoversOf: () => new Set(['bfd/b']) },
    bfd: { peerDetectionUs: () => (ms === null ? null : us(ms * 1_000)) },
    engine: { now: () => us(0) },
    ...{ log, react: (act) => act() },
  })
  leases.writeLog()
  leases.writeLog()
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /^\(.+\) the peer misses bfd\/b after 150 ms/)
  assert.equal(leases.soonerTakeOvers(it).length, 1)
  lease = null
  assert.deepEqual(leases.soonerTakeOvers(it), [])
  leases.writeLog()
  lease = {}
  leases.writeLog()
  assert.equal(lines.length, 2)
  ms = null
  leases.writeLog()
  assert.equal(lines.length, 2)
})
