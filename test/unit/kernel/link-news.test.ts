import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { linkNews } from '../../../src/kernel/link-news.ts'
import type { KernelLink } from '../../../src/kernel/link-table.ts'
import type { KernelChange } from '../../../src/kernel/mirror.ts'
import { oversizedAdvert } from '../../../src/router/binding/advert-size.ts'
import { Duplicates } from '../../../src/router/dispatch/duplicates.ts'
import { StepFailures } from '../../../src/router/dispatch/step-failures.ts'
import { instance, ip, link, virtualAddress } from '../router/facts.ts'

const change = (before: KernelLink | null, after: KernelLink | null): KernelChange => ({
  kind: 'link',
  name: (after ?? before)?.name ?? '',
  before,
  after,
})
const texts = (...changes: readonly KernelChange[]) => linkNews(changes).map(({ text }) => text)

const up = link(3, 'e0.100')
const down = { ...up, up: false }

test('an interface that is deleted, made anew, renamed or altered is not called up or down', () => {
  assert.deepEqual(texts(change(up, down)), ['Netlink reports e0.100 down'])
  assert.deepEqual(texts(change(down, up)), ['Netlink reports e0.100 up'])
  assert.deepEqual(texts(change(up, null)), ['Netlink reports e0.100 deleted'])
  assert.deepEqual(texts(change(up, down), change(down, null)), ['Netlink reports e0.100 deleted'])
  assert.deepEqual(texts(change(null, down)), ['Netlink reports e0.100 created, down'])
  const again = ['Netlink reports e0.100 deleted and created again, up']
  assert.deepEqual(texts(change(up, null), change(null, up)), again)
  assert.deepEqual(texts(change(up, null), change(null, link(9, 'e0.100'))), again)
  const mac = Uint8Array.of(2, 0, 0, 0, 7, 7)
  assert.deepEqual(texts(change(up, { ...up, mac })), [
    'Netlink reports e0.100 with MAC address 02:00:00:00:07:07',
  ])
  assert.deepEqual(texts(change(up, { ...down, mtu: 1400 })), [
    'Netlink reports e0.100 down, with MTU 1400',
  ])
  const named = { ...up, name: 'lan0' }
  assert.deepEqual(texts(change(up, null), change(null, named)), [
    'Netlink reports e0.100 renamed to lan0',
    'Netlink reports lan0 created, up',
  ])
  assert.deepEqual(texts(change(up, down), change(down, up)), ['Netlink reports e0.100 up again'])
})

test('adverts that are longer than the MTU are named', () => {
  const addresses = Array.from({ length: 100 }, (_, i) => virtualAddress(`10.0.0.${i + 1}`))
  const cfg = instance({ version: 3, addresses })
  assert.equal(oversizedAdvert(cfg, link(3, 'eth0', { mtu: 428 })), null)
  assert.match(
    oversizedAdvert(cfg, link(3, 'eth0', { mtu: 427 })) ?? '',
    /^HA_1: an advert has 428 octets and the MTU of eth0 is 427: it is sent in fragments/,
  )
  assert.equal(oversizedAdvert(cfg, null), null)
})

test('a duplicate address is named while renewals try it again, and with lifetime 0 until the lead ends', () => {
  const duplicates = new Duplicates()
  duplicates.note(ip('fd00::100'), us(0))
  assert.deepEqual(duplicates.at(us(16_000_000), 8), ['fd00::100'])
  assert.deepEqual(duplicates.at(us(16_000_001), 8), [])
  assert.deepEqual(duplicates.at(us(1e12), 0), ['fd00::100'])
  duplicates.end()
  assert.deepEqual(duplicates.at(us(0), 0), [])
})

test('the same refusal is logged once, and later with how often it came', () => {
  const lines: unknown[] = []
  const quiet = () => undefined
  const failures = new StepFailures({
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (message, fields) => void lines.push([message, fields?.['repeated']]),
    flush: () => Promise.resolve(),
  })
  const say = (what: string, at: number) => failures.write('V', 'datagram', what, us(at))
  say('sendmmsg failed: ENETUNREACH', 0)
  say('sendmmsg failed: ENETUNREACH', 1_000)
  say('sendmmsg failed: EPERM', 2_000)
  say('sendmmsg failed: ENETUNREACH', 10_000_000)
  assert.deepEqual(lines, [
    ['(V) sendmmsg failed: ENETUNREACH', undefined],
    ['(V) sendmmsg failed: EPERM', undefined],
    ['(V) sendmmsg failed: ENETUNREACH', 1],
  ])
})
