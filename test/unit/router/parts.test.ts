import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { CheckStatus } from '../../../src/checks/verdict/types.ts'
import type { Tracked } from '../../../src/config/types.ts'
import { Journal } from '../../../src/router/dispatch/journal.ts'
import { RateLimitedLog } from '../../../src/router/dispatch/rate-limited-log.ts'
import { Receiver } from '../../../src/router/dispatch/receive.ts'
import { Backoff, TokenBucket } from '../../../src/router/token-bucket.ts'
import { assessInstance, watchedInterfaces } from '../../../src/router/tracking/tracker.ts'
import { encodeAdvert } from '../../../src/wire/vrrp.ts'
import { instance, ip, kernelOf, link, place, virtualAddress } from './facts.ts'

const noSession = () => ({ kind: 'unknown' }) as const

test('a token bucket allows a burst, then its rate', () => {
  const bucket = new TokenBucket(2, 10)
  assert.deepEqual(
    [0, 0, 0, 50_000, 100_000, 100_000].map((t) => bucket.take(us(t))),
    [true, true, false, false, true, false],
  )
})

test('what goes on is done ever more rarely; after silence it is new', () => {
  const second = 1_000_000
  const backoff = new Backoff(us(2 * second), us(10 * second))
  const take = (at: number) => backoff.take(us(Math.round(at * second)), us(2 * second))
  const done = (until: number): number[] =>
    Array.from({ length: until * 10 }, (_, i) => i / 10).filter(take)
  assert.deepEqual(done(50), [0, 2, 6, 14, 24, 34, 44])
  assert.ok(!take(51))
  assert.ok(take(53.1), 'after 2 s of silence: two partitions in a row are announced alike')
})

test('a flood of lines is a few lines, and the next one says how many it was', () => {
  const said: { text: string; repeated: unknown }[] = []
  const say = (text: string, fields?: Readonly<Record<string, unknown>>) =>
    said.push({ text, repeated: fields?.['repeated'] })
  const silent = { debug: say, info: say, warn: say, error: say, flush: async () => undefined }
  const lines = new RateLimitedLog(silent)
  const line = (i: number) =>
    ({
      kind: 'log',
      level: 'info',
      text: `(VI_1) advert from 10.0.${i % 7}.${i} lower ${i}`,
    }) as const
  for (let i = 0; i < 1_000; i++) lines.write('VI_1', line(i), us(i))
  lines.write('VI_1', { kind: 'log', level: 'warning', text: '(VI_1) something else' }, us(1_000))
  assert.equal(said.length, 6)
  lines.write('VI_1', line(0), us(11_000_000))
  assert.deepEqual(said.at(-1), { text: line(0).text, repeated: 995 })
})

test('the last of the lines that were held back is written although no other follows', () => {
  const said: { text: string; repeated: unknown }[] = []
  const say = (text: string, fields?: Readonly<Record<string, unknown>>) =>
    said.push({ text, repeated: fields?.['repeated'] })
  const lines = new RateLimitedLog({
    debug: say,
    info: say,
    warn: say,
    error: say,
    flush: async () => undefined,
  })
  for (let i = 0; i < 50; i++)
    lines.write('VI_1', { kind: 'log', level: 'info', text: `advert ${i}` }, us(0))
  lines.flush('VI_1', us(9_999_999))
  assert.equal(said.length, 5)
  lines.flush('VI_1', us(10_000_000))
  assert.deepEqual(said.slice(5), [{ text: 'advert 49', repeated: 44 }])
  lines.flush('VI_1', us(90_000_000))
  assert.equal(said.length, 6, 'once')
})

test('a journal keeps the causes and counts', () => {
  let now = 1_000
  const journal = new Journal(() => now)
  assert.equal(journal.why, 'starting')
  journal.record({ from: 'INIT', to: 'BACKUP', why: 'start', cause: 'start' })
  now = 4_000
  const why = 'master 10.0.0.2 timed out'
  journal.record({ from: 'BACKUP', to: 'MASTER', why, cause: 'timeout' })
  now = 6_500
  assert.equal(journal.transitions, 2)
  assert.equal(journal.sinceMs, 2_500)
  assert.deepEqual([journal.recent(2_500), journal.recent(60_000)], [1, 2])
  assert.deepEqual(journal.entries.at(-1), {
    at: '1970-01-01T00:00:04.000Z',
    from: 'BACKUP',
    to: 'MASTER',
    why: 'master 10.0.0.2 timed out',
    cause: 'timeout',
  })
})

const none = () => 0

function receiver(cfg = instance()) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const log = { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
  return { lines, receiver: new Receiver(cfg, log) }
}

const heard = (payload: Uint8Array, count = 1) =>
  ({
    kind: 'packet',
    link: 1,
    slot: 1,
    generation: 1,
    from: ip('172.16.80.3'),
    ttl: 255,
    payload,
    at: us(0),
    count,
  }) as const

const advert = (more: Partial<Parameters<typeof encodeAdvert>[0]> = {}) =>
  encodeAdvert({
    version: 2,
    family: 4,
    vrid: 80,
    priority: 99,
    intervalUs: us(2_000_000),
    addresses: [ip('172.16.80.100')],
    password: null,
    source: ip('172.16.80.3'),
    destination: ip('224.0.0.18'),
    checksumAsV2: false,
    ...more,
  })

test('a valid advert reaches the election; a rejected one is counted by its reason and said once', () => {
  const { lines, receiver: it } = receiver()
  const own = ip('172.16.80.2')
  assert.deepEqual(it.receive(heard(advert()), own, none), {
    from: '172.16.80.3',
    priority: 99,
    intervalUs: 2_000_000,
  })
  const otherInterval = advert({ intervalUs: us(1_000_000) })
  assert.equal(it.receive(heard(otherInterval, 3), own, none), null)
  assert.equal(it.receive(heard(otherInterval), own, none), null)
  assert.equal(it.rejects['interval-mismatch'], 4)
  assert.equal(lines.length, 1)
  it.newEpoch()
  it.receive(heard(otherInterval), own, none)
  assert.equal(lines.length, 2)
})

test('a sender that is not believed is named with the remedy until it falls silent or is believed', () => {
  const { lines, receiver: it } = receiver()
  const own = ip('172.16.80.2')
  const at = (seconds: number, payload: Uint8Array) => ({
    ...heard(payload),
    at: us(seconds * 1_000_000),
  })
  const slow = advert({ intervalUs: us(5_000_000) })
  it.receive(at(0, slow), own, none)
  const [ignored] = it.ignored.at(us(14_000_000))
  assert.deepEqual([ignored?.from, ignored?.why], ['172.16.80.3', 'interval-mismatch'])
  assert.match(ignored?.explanation ?? '', /advert_int is 5 s, ours 2 s/)
  assert.match(lines[0] ?? '', /172\.16\.80\.3: interval-mismatch: its advert_int is 5 s, ours 2 s/)
  assert.deepEqual(it.ignored.at(us(15_000_001)), [])
  it.receive(at(20, slow), own, none)
  it.receive(at(21, advert()), own, none)
  assert.deepEqual(it.ignored.at(us(21_000_000)), [])
  for (let i = 0; i < 50; i += 1)
    it.receive({ ...at(22, slow), from: ip(`172.16.80.${100 + i}`) }, own, none)
  assert.equal(it.ignored.at(us(22_000_000)).length, 4)
  assert.equal(lines.length, 4, 'a flood of senders is not a flood of lines')
})

test('an interval far above ours is an interval error, with what it counts as', () => {
  const long = advert({ version: 3, intervalUs: us(40_950_000) })
  const said = (maxIntervalRatio: number) => {
    const { lines, receiver: it } = receiver(instance({ version: 3, maxIntervalRatio }))
    assert.notEqual(it.receive(heard(long), ip('172.16.80.2'), none), null)
    return lines[0] ?? ''
  }
  assert.match(said(10), /interval error, more than 10 times ours.*counts as 20000 ms/)
  assert.match(said(0), /every 40950 ms, ours every 2000 ms: a backup counts with its master's/)
})

test('another address list is used, counted and said', () => {
  const { lines, receiver: it } = receiver()
  const other = advert({ addresses: [ip('172.16.80.200')] })
  assert.notEqual(it.receive(heard(other), ip('172.16.80.2'), none), null)
  assert.equal(it.addressListDiffers, 1)
  assert.match(lines[0] ?? '', /172\.16\.80\.200.*172\.16\.80\.100/)
})

test('adverts are counted by the form of their checksum, the ones that only the engine saw too', () => {
  const three = instance({ version: 3 })
  const { lines, receiver: it } = receiver(three)
  const own = ip('172.16.80.2')
  const form = (checksumAsV2: boolean) => heard(advert({ version: 3, checksumAsV2 }))
  assert.notEqual(
    it.receive(form(false), own, () => 1),
    null,
  )
  assert.deepEqual(lines, [])
  assert.deepEqual(it.checksums(41), { 'pseudo-header': 41, message: 0 })
  assert.notEqual(
    it.receive(form(true), own, () => 42),
    null,
  )
  assert.deepEqual(it.checksums(52), { 'pseudo-header': 41, message: 11 })
  assert.equal(
    it.receive(heard(advert()), own, () => 53),
    null,
    'version 2: rejected, of no form',
  )
  assert.notEqual(
    it.receive(form(false), own, () => 60),
    null,
  )
  assert.deepEqual(it.checksums(60), { 'pseudo-header': 42, message: 17 })
  assert.match(lines[0] ?? '', /the message alone \(RFC 9568\).*v3_checksum_as_v2/)
  it.rejoined()
  assert.deepEqual(it.checksums(0), { 'pseudo-header': 0, message: 0 })
  assert.equal(receiver().receiver.checksums(5), null, 'version 2 has one form')
})

const tracked = (name: string, weight = 0, kind: Tracked['kind'] = 'script') => ({
  kind,
  name,
  weight,
  reverse: false,
  place,
})
const status = (good: boolean | null): CheckStatus => ({
  name: 'web',
  good,
  last: null,
  runs: 1,
  failures: 0,
  timeouts: 0,
  overruns: 0,
  streak: 0,
  sinceMs: null,
})

test('scripts and interfaces of the instance, its group and its addresses are watched', () => {
  const cfg = instance({
    trackChecks: [tracked('web', 20)],
    trackInterfaces: [tracked('eth1', 0, 'interface')],
    addresses: [virtualAddress('10.0.0.9', { interface: 'eth2' })],
  })
  const kernel = kernelOf([link(3, 'eth0'), link(4, 'eth1')], [])
  const verdicts = { check: () => status(true), holds: () => true, session: noSession, kernel }
  const found = assessInstance(cfg, null, verdicts)
  assert.equal(found.effective, 120)
  assert.deepEqual(found.faults, [{ kind: 'link', interface: 'eth2', why: 'missing' }])
  assert.deepEqual([...watchedInterfaces(cfg, null)], ['eth0', 'eth1', 'eth2'])
})

test('a weight-0 script without a result holds the instance, unless a reload brought it', () => {
  const cfg = instance({ trackChecks: [tracked('web')] })
  const verdicts = (holds: boolean) => ({
    check: () => status(null),
    holds: () => holds,
    session: noSession,
    kernel: kernelOf([link(3, 'eth0')], []),
  })
  assert.deepEqual(assessInstance(cfg, null, verdicts(true)).faults, [
    { kind: 'check-pending', name: 'web' },
  ])
  assert.deepEqual(assessInstance(cfg, null, verdicts(false)).faults, [])
})
