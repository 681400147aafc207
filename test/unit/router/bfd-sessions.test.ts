import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import type { Ip } from '../../../src/base/ip.ts'
import { type Us, us } from '../../../src/base/time.ts'
import type { BfdInstance } from '../../../src/config/types.ts'
import type { Bfd, BfdSpec, BfdStanding } from '../../../src/engine/bfd-contract.ts'
import { BfdSessions } from '../../../src/router/bfd/sessions.ts'
import { type BfdPacket, type BfdState, decodeBfd, encodeBfd } from '../../../src/wire/bfd.ts'

const instance = (more: Partial<BfdInstance> = {}): BfdInstance => ({
  name: 'bfd/b',
  neighbor: '10.0.0.2' as Ip,
  source: '10.0.0.1' as Ip,
  minRxUs: us(50_000),
  minTxUs: us(50_000),
  idleTxUs: us(1_000_000),
  multiplier: 3,
  passive: false,
  ttl: null,
  maxHops: null,
  multihop: false,
  weight: 0,
  reverse: false,
  place: { file: '', line: 1, column: 1 },
  ...more,
})

class Host {
  readonly opened: BfdSpec[] = []
  readonly closed: number[] = []
  /** The last word of each session that was closed. */
  readonly farewells: (BfdPacket | null)[] = []
  readonly changes: string[] = []
  readonly lines: string[] = []
  last: BfdStanding | null = null
  refuses = false
  longestGapUs = us(0)
  now = us(1_000_000)
  #expiries = 0
  #drawn = 0
  readonly sessions: BfdSessions

  constructor(realtime = true) {
    const counters = { received: 0, sent: 0, badTtl: 0, sendError: null, lastReceivedUs: null }
    const bfd: Bfd = {
      realtime,
      open: (spec) => {
        if (this.refuses) throw new OpError('bind', 'EADDRINUSE')
        this.opened.push(spec)
      },
      close: (id, farewell) => {
        this.closed.push(id)
        const decoded = farewell === null ? null : decodeBfd(farewell)
        this.farewells.push(decoded?.ok ? decoded.value : null)
      },
      order: (_, standing) => {
        this.last = standing
      },
      counters: () => ({ ...counters, longestGapUs: this.longestGapUs }),
      unclaimed: () => 0,
      stop: () => undefined,
    }
    const line = (text: string) => void this.lines.push(text)
    const log = { debug: line, info: line, warn: line, error: line, flush: async () => undefined }
    this.sessions = new BfdSessions({
      bfd,
      kernel: { linkHolding: () => null },
      log,
      now: () => this.now,
      wallMs: () => 0,
      discriminator: () => ++this.#drawn,
      changed: (name, word) => void this.changes.push(`${name} ${word}`),
    })
  }

  hears(state: BfdState, more: { final?: boolean; minTxUs?: Us; your?: number } = {}): void {
    const spec = this.opened.at(-1)
    assert.ok(spec)
    const packet = encodeBfd({
      state,
      diagnostic: 0,
      poll: false,
      final: more.final ?? false,
      demand: false,
      multiplier: 4,
      myDiscriminator: 77,
      yourDiscriminator: more.your ?? (state === 'Down' ? 0 : spec.discriminator),
      desiredMinTxUs: more.minTxUs ?? us(60_000),
      requiredMinRxUs: us(20_000),
    })
    const { session } = spec
    const at = this.now
    this.sessions.onEvents([{ kind: 'packet', session, packet, at, expiries: this.#expiries }])
  }

  expires(): void {
    const { session } = this.opened.at(-1) ?? { session: 0 }
    this.#expiries += 1
    const [at, deadlineUs] = [this.now, us(this.now - 97)]
    this.sessions.onEvents([{ kind: 'expired', session, at, deadlineUs, expiries: this.#expiries }])
  }

  comesUp(): void {
    this.hears('Down')
    this.hears('Init')
  }
}

test('unknown until it is up, or for five seconds without a packet', () => {
  const host = new Host()
  host.sessions.set([instance()])
  assert.deepEqual(host.sessions.reading('bfd/b'), { kind: 'unknown' })
  assert.equal(host.last?.detectionUs, 5_000_000)
  host.expires()
  assert.deepEqual(host.sessions.reading('bfd/b'), { kind: 'verdict', good: false, detail: 'down' })
  assert.equal(host.last?.detectionUs, null)
  host.comesUp()
  assert.deepEqual(host.changes, ['bfd/b DOWN', 'bfd/b UP'])
  assert.equal(host.last?.detectionUs, 240_000)
})

test('keepalived’s lines; a lost session is down, one that the neighbour switches off stays as it was', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  host.hears('AdminDown')
  assert.equal(host.sessions.status(() => [])[0]?.state, 'Down')
  host.expires()
  assert.deepEqual(host.changes, ['bfd/b UP'])
  host.comesUp()
  host.hears('Up', { final: true })
  host.expires()
  assert.deepEqual(host.changes, ['bfd/b UP', 'bfd/b DOWN'])
  assert.deepEqual(host.lines.slice(-2), [
    '(b) Expired after 240 ms (97 usec overdue)',
    '(b) Entering Down state (Local diagnostic - Control Detection Time Expired, Remote diagnostic - No Diagnostic)',
  ])
})

test('a packet that would change the state once more is not the expected one', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  host.hears('Up')
  assert.notEqual(host.last?.expect, null)
  // The neighbour has begun anew: the same packet again leads to Init.
  host.hears('Down')
  assert.equal(host.last?.expect, null)
  host.hears('Down')
  assert.equal(host.sessions.status(() => [])[0]?.state, 'Init')
  assert.notEqual(host.last?.expect, null)
})

test('slots may take over while the session is up, and only then', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.sessions.setTakeovers(new Map([['bfd/b', [3, 4]]]))
  assert.deepEqual(host.last?.takeover, [])
  host.comesUp()
  assert.deepEqual(host.last?.takeover, [3, 4])
  host.hears('AdminDown')
  assert.deepEqual(host.last?.takeover, [])
})

test('a reload: the same is not touched, other intervals poll, another path begins anew', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  host.hears('Up', { final: true })
  const before = host.last
  host.sessions.set([instance({ place: { file: '', line: 9, column: 1 }, weight: 5 })])
  assert.equal(host.last, before)
  host.sessions.set([instance({ minTxUs: us(80_000) })])
  assert.deepEqual([host.last?.polling, host.last?.repeat?.everyUs], [true, 50_000])
  host.hears('Up', { final: true })
  assert.deepEqual([host.last?.polling, host.last?.repeat?.everyUs], [false, 80_000])
  host.sessions.set([instance({ neighbor: '10.0.0.3' as Ip })])
  assert.deepEqual(host.closed, [1])
  assert.deepEqual(
    host.opened.map(({ session, discriminator, peer }) => [session, discriminator, peer]),
    [
      [1, 1, '10.0.0.2'],
      [2, 2, '10.0.0.3'],
    ],
  )
  host.sessions.set([])
  assert.deepEqual(host.closed, [1, 2])
})

test('without its port it is down with the reason, and tries again', () => {
  const host = new Host()
  host.refuses = true
  host.sessions.set([instance()])
  assert.equal(host.sessions.status(() => [])[0]?.failure, 'bind: EADDRINUSE')
  assert.deepEqual(host.changes, ['bfd/b DOWN'])
  assert.equal(host.sessions.retryAt, 11_000_000)
  host.refuses = false
  host.now = us(11_000_000)
  host.sessions.tick(host.now)
  assert.equal(host.sessions.status(() => [])[0]?.failure, null)
  assert.equal(host.sessions.retryAt, null)
  host.comesUp()
  assert.deepEqual(host.changes, ['bfd/b DOWN', 'bfd/b UP'])
})

test('what is sent and taken: hop limit 255 out, keepalived’s 64 in; no rule over several hops', () => {
  const ttlOf = (more: Partial<BfdInstance>) => {
    const host = new Host()
    host.sessions.set([instance(more)])
    const [{ ttl, minTtl, port } = { ttl: 0, minTtl: 0, port: 0 }] = host.opened
    return [ttl, minTtl, port]
  }
  const six = { neighbor: 'fd77::2' as Ip, source: null }
  assert.deepEqual(ttlOf({}), [255, 255, 3784])
  assert.deepEqual(ttlOf(six), [255, 64, 3784])
  assert.deepEqual(ttlOf({ ...six, ttl: 255 }), [255, 255, 3784])
  assert.deepEqual(ttlOf({ ttl: 64, maxHops: 3 }), [64, 61, 3784])
  assert.deepEqual(ttlOf({ multihop: true }), [255, 0, 4784])
  assert.deepEqual(ttlOf({ multihop: true, maxHops: 5 }), [255, 250, 4784])
})

test('another process that gets no sockets does not go on; what had none before begins once it has them', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  const next = new Host()
  next.refuses = true
  const why = next.sessions.adopt([instance()], host.sessions.snapshot())
  assert.match(why ?? '', /^bfd\/b: /)
  const [status] = next.sessions.status(() => [])
  assert.deepEqual([status?.state, status?.remoteState], ['Down', null])
  next.refuses = false
  next.sessions.kernelChanged()
  assert.equal((next.last?.repeat?.bytes[1] ?? 0) >> 6, 1, 'it says Down')
  assert.equal(next.last?.takeover.length, 0)
})

test('quicker than 50 ms without real-time scheduling is warned of', () => {
  const host = new Host(false)
  host.sessions.set([instance({ minTxUs: us(10_000) })])
  assert.match(host.sessions.warnings().join(), /bfd\/b: an interval of 10 ms without real-time/)
  assert.deepEqual(new Host(false).sessions.warnings(), [])
})

test('a session that a reload takes away, or begins anew, says that it is switched off; at a stop it is silent', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  host.sessions.set([instance({ ttl: 64 })])
  // Not heard by any peer: there is no peer to tell.
  host.sessions.set([])
  host.sessions.set([instance()])
  host.comesUp()
  host.sessions.stop()
  assert.deepEqual(
    host.farewells.map(
      (it) => it && [it.state, it.diagnostic, it.myDiscriminator, it.yourDiscriminator],
    ),
    [['AdminDown', 7, 1, 77], null, null],
  )
})

test('the margin: the longest pause beside the detection time', () => {
  const host = new Host()
  host.sessions.set([instance()])
  const margin = () =>
    host.sessions
      .status(() => [])
      .map(({ longestGapMs, detectionMs }) => [longestGapMs, detectionMs])
  assert.deepEqual(margin(), [[0, null]])
  host.longestGapUs = us(191_500)
  host.comesUp()
  assert.deepEqual(margin(), [[191.5, 240]])
})

test('another process goes on with the session: the same discriminator, still up', () => {
  const host = new Host()
  host.sessions.set([instance()])
  host.comesUp()
  const carried = JSON.parse(JSON.stringify(host.sessions.snapshot()))
  const next = new Host()
  next.sessions.adopt([instance()], carried)
  assert.deepEqual(next.sessions.reading('bfd/b'), { kind: 'verdict', good: true, detail: 'up' })
  assert.equal(next.opened[0]?.discriminator, host.opened[0]?.discriminator)
  assert.equal(next.last?.detectionUs, 240_000)
})

test('what the peer waits for: our multiplier, and the longer of our interval and what it demands', () => {
  const host = new Host()
  host.sessions.set([instance()])
  assert.equal(host.sessions.peerDetectionUs('bfd/b'), null)
  host.comesUp()
  assert.equal(host.sessions.peerDetectionUs('bfd/b'), 150_000)
  host.sessions.set([instance({ minTxUs: us(10_000), multiplier: 5 })])
  host.hears('Up', { final: true })
  assert.equal(host.sessions.peerDetectionUs('bfd/b'), 100_000, 'it demands 20 ms')
  assert.equal(host.sessions.peerDetectionUs('bfd/c'), null)
})
