/** RFC 9568 section 7.1: what the election itself decides about a received packet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { Instance } from '../../src/config/types.ts'
import { Receiver } from '../../src/router/dispatch/receive.ts'
import { encodeAdvert } from '../../src/wire/vrrp.ts'
import { advert, Host, linkDown } from '../unit/election/host.ts'
import { instance, ip } from '../unit/router/facts.ts'

test('7.1: with owner_ignore_adverts the owner looks at no advert', () => {
  const owner = new Host({ basePriority: 255, ownerIgnoreAdverts: true }).start()
  for (const event of [advert(0), advert(100), advert(255, '10.0.0.99')]) {
    owner.feed(event, 1)
    assert.equal(owner.state.kind, 'master')
    assert.deepEqual(owner.last.effects, [])
  }
  owner.feed({ kind: 'group', group: 'G', want: 'backup' }, 2)
  const before = owner.state
  assert.deepEqual(owner.feed(advert(255, '10.0.0.99'), 3).state, before)
})

test('7.1: owner_ignore_adverts means nothing below 255', () => {
  const host = new Host({ ownerIgnoreAdverts: true }).becomeMaster().feed(advert(101), 5)
  assert.equal(host.state.kind, 'backup')
})

test('7.1: in fault no advert is looked at', () => {
  const host = new Host().start().feed({ kind: 'faults', faults: [linkDown] }, 1)
  const before = host.state
  for (const priority of [0, 50, 200]) {
    assert.deepEqual(host.feed(advert(priority), 2).state, before)
    assert.deepEqual(host.last.effects, [])
    assert.equal(host.last.accepted, false)
  }
})

/** A receiver of version 3, 100 ms, and what it logs. */
function listener(over: Partial<Instance> = {}) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const log = { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
  const cfg = instance({ version: 3, vrid: 51, advertIntervalUs: us(100_000), ...over })
  const receiver = new Receiver(cfg, log)
  type More = { priority?: number; from?: string; count?: number; addresses?: readonly string[] }
  const hear = (intervalUs: number, more: More = {}) => {
    const { priority = 90, count = 1, addresses = ['172.16.80.100'] } = more
    const four = cfg.family === 4
    const { from = four ? '172.16.80.3' : 'fe80::3' } = more
    const payload = encodeAdvert({
      version: 3,
      family: cfg.family,
      vrid: 51,
      priority,
      intervalUs: us(intervalUs),
      addresses: addresses.map(ip),
      password: null,
      source: ip(from),
      destination: ip(four ? '224.0.0.18' : 'ff02::12'),
      checksumAsV2: false,
    })
    const fixed = { kind: 'packet', link: 1, slot: 1, generation: 1, ttl: 255, at: us(0) } as const
    const own = ip(four ? '172.16.80.2' : 'fe80::2')
    return receiver.receive({ ...fixed, from: ip(from), payload, count }, own, () => 0)
  }
  return { lines, receiver, hear }
}

test('7.1: another Max Advertise Interval is used, counted and logged, from whatever sender', () => {
  const { lines, receiver, hear } = listener()
  assert.equal(hear(250_000, { count: 3 })?.intervalUs, 250_000)
  assert.equal(hear(250_000)?.intervalUs, 250_000)
  assert.deepEqual(lines, [
    "(HA_1) advert from 172.16.80.3 every 250 ms, ours every 100 ms: a backup counts with its master's interval",
  ])
  assert.equal(receiver.intervalDiffers, 4)
  hear(100_000)
  hear(500_000, { priority: 0 })
  assert.deepEqual(
    [receiver.intervalDiffers, lines.length],
    [4, 1],
    'no difference, and a resignation',
  )
  hear(500_000, { from: '172.16.80.4' })
  assert.match(lines[1] ?? '', /172\.16\.80\.4 every 500 ms/)
  for (let i = 1; i < 100; i++) hear(10_000 * (i + 20))
  assert.equal(lines.length, 4, 'bounded')
  receiver.newEpoch()
  hear(250_000)
  assert.equal(lines.length, 5, 'the state or the master changed')
})

test('5.2.9: a first address that is not link-local is used, counted and reported', () => {
  const six = {
    family: 6,
    transport: { kind: 'multicast', group: ip('ff02::12'), source: null },
  } as const
  const { lines, receiver, hear } = listener({ ...six, skipCheckAdvAddr: true })
  assert.notEqual(hear(100_000, { addresses: ['fe80::100', '2001:db8::1'] }), null)
  assert.deepEqual([receiver.firstNotLinkLocal, lines], [0, []])
  assert.notEqual(hear(100_000, { addresses: ['2001:db8::1', 'fe80::100'], count: 2 }), null)
  assert.equal(receiver.firstNotLinkLocal, 2)
  assert.deepEqual(lines, [
    '(HA_1) the first address of fe80::3 is 2001:db8::1, which is not link-local',
  ])
})
