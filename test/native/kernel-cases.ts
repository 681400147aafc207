/** Addresses, frames, notifications and sockets: cases of engine.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../src/base/errors.ts'
import type { LinkSpec } from '../../src/engine/contract.ts'
import type { Plan } from '../../src/engine/order.ts'
import { encodeGratuitousArp } from '../../src/wire/arp.ts'
import { decodeMessages } from '../../src/wire/rtnetlink.ts'
import { encodeAddressDelete, encodeAddressDump } from '../../src/wire/rtnetlink-address.ts'
import { encodeLinkDump } from '../../src/wire/rtnetlink-link.ts'
import {
  add,
  address,
  carryOut,
  engine,
  events,
  groups,
  held,
  ifindex,
  ifindexIn,
  leadWith,
  newSlot,
  order,
  ours,
  peer,
  remove,
  request,
  spec,
  until,
  vip,
} from './lan.ts'
import { ip } from './remote.ts'

test('addresses are really added and deleted, and plans are idempotent', async () => {
  const four = vip('10.9.7.1', { label: 'va:vip' })
  const six = vip('fd00::7')
  events.length = 0
  await carryOut([...add(four), ...add(six), ...add(four)])
  assert.deepEqual(
    held().filter((a) => a === '10.9.7.1' || a === 'fd00::7'),
    ['10.9.7.1', 'fd00::7'],
  )
  await carryOut([...remove(four), ...remove(six), ...remove(four)])
  assert.deepEqual(
    held().filter((a) => a === '10.9.7.1' || a === 'fd00::7'),
    [],
  )
  assert.deepEqual(
    events.filter((e) => e.kind === 'failed'),
    [],
  )
})

test('hundreds of addresses in one plan', async () => {
  const many = Array.from({ length: 600 }, (_, i) => vip(`10.10.${i >> 8}.${i & 255}`))
  await carryOut(many.flatMap(add))
  assert.equal(held().filter((a) => a.startsWith('10.10.')).length, 600)
  await carryOut(many.flatMap((a) => remove(a)))
  assert.equal(held().filter((a) => a.startsWith('10.10.')).length, 0)
})

test('what the kernel refuses is told in its own words', async () => {
  events.length = 0
  const slot = await carryOut([
    ...add(vip('10.9.7.2')),
    ...remove(vip('10.9.7.3'), []),
    ...remove(vip('10.9.7.2'), []),
    ...add(vip('10.9.7.4', { ifindex: 9999 })),
    ...add(vip('10.9.7.5', { prefixLength: 33 })),
  ])
  const failed = events.flatMap((e) => (e.kind === 'failed' && e.slot === slot ? [e] : []))
  assert.deepEqual(
    failed.map((e) => [e.step, e.stepKind, e.call, e.code]),
    [
      [1, 'netlink', 'RTM_DELADDR', 'EADDRNOTAVAIL'],
      [3, 'netlink', 'RTM_NEWADDR', 'ENODEV'],
      [4, 'netlink', 'RTM_NEWADDR', 'EINVAL'],
    ],
  )
  const texts = failed.map((e) => e.detail)
  assert.match(texts[0] ?? '', /address not found/i)
  assert.match(texts[2] ?? '', /prefix length/i)
})

test('the kernel tells of addresses and links, and answers dumps', async () => {
  await engine.flush()
  events.length = 0
  ip('address', 'add', '10.9.8.1/32', 'dev', 'va')
  ip('link', 'set', 'dev', 'va', 'alias', 'changed')
  const told = () =>
    events.flatMap((e) => (e.kind === 'kernel' ? decodeMessages(e.bytes) : [])).map((m) => m.kind)
  await until(() => told().includes('newaddr') && told().includes('newlink'))
  ip('address', 'del', '10.9.8.1/32', 'dev', 'va')
  await until(() => told().includes('deladdr'))

  const links = decodeMessages(await request(encodeLinkDump()))
  assert.deepEqual(
    links.flatMap((m) => (m.kind === 'newlink' ? [m.link.name] : [m.kind])),
    ['lo', 'va'],
  )
  const addresses = decodeMessages(await request(encodeAddressDump()))
  assert.ok(addresses.some((m) => m.kind === 'newaddr' && m.address.address === ours[4]))
  await assert.rejects(
    request(encodeAddressDelete(vip('10.9.8.9'))),
    (error) =>
      error instanceof OpError && error.op === 'RTM_DELADDR' && error.code === 'EADDRNOTAVAIL',
  )
})

test('an interface that leaves a bridge is still there: what is known of addresses is not forgotten', async () => {
  ip('link', 'add', 'name', 'br', 'type', 'bridge')
  ip('link', 'add', 'name', 'port', 'type', 'veth', 'peer', 'name', 'port2')
  await engine.flush()
  events.length = 0
  const newsOf = (text: string) =>
    events
      .flatMap((e) => (e.kind === 'kernel' ? decodeMessages(e.bytes) : []))
      .filter((m) => m.kind === 'newaddr' && m.address.address === text).length
  const leased = ['10.9.8.2/32', 'dev', 'va', 'valid_lft', '1000', 'preferred_lft', '1000']
  ip('address', 'add', ...leased)
  ip('link', 'set', 'dev', 'port', 'master', 'br')
  ip('link', 'set', 'dev', 'port', 'nomaster')
  ip('address', 'change', ...leased)
  ip('address', 'add', '10.9.8.3/32', 'dev', 'va')
  await until(() => newsOf('10.9.8.3') === 1)
  assert.equal(newsOf('10.9.8.2'), 1, 'a renewal was taken for news')
  ip('address', 'change', '10.9.8.2/32', 'dev', 'va', 'valid_lft', '900', 'preferred_lft', '0')
  await until(() => newsOf('10.9.8.2') === 2)
  ip('address', 'del', '10.9.8.2/32', 'dev', 'va')
  ip('address', 'del', '10.9.8.3/32', 'dev', 'va')
  ip('link', 'del', 'dev', 'port')
  ip('link', 'del', 'dev', 'br')
})

test('a gratuitous ARP frame is on the wire as it was given', async () => {
  // A host that accepts them takes the neighbour from the frame alone.
  await peer.call('sysctl', 'net/ipv4/conf/vb/arp_accept', '1')
  const bytes = encodeGratuitousArp(Uint8Array.of(2, 0, 0, 0, 0, 9), address('10.9.0.99'))
  await carryOut([{ kind: 'frame', ifindex, bytes }])
  const neighbours = () => peer.call('ip', ['neighbour', 'show', 'dev', 'vb'])
  await until(async () => /^10\.9\.0\.99 lladdr 02:00:00:00:00:09 /m.test(await neighbours()))
})

test('sockets that cannot be opened say which call failed', () => {
  const cases: readonly [Partial<LinkSpec>, string, string][] = [
    [{ interface: 'nowhere' }, 'setsockopt(SO_BINDTODEVICE)', 'ENODEV'],
    [{ ifindex: 9999 }, 'setsockopt(IP_ADD_MEMBERSHIP)', 'ENODEV'],
    [{ source: address('192.0.2.1') }, 'bind', 'EADDRNOTAVAIL'],
    [{ filter: new Uint8Array(8).fill(255) }, 'setsockopt(SO_ATTACH_FILTER)', 'EINVAL'],
    [
      { family: 6, source: ours[6], group: address('fe80::1') },
      'setsockopt(IPV6_JOIN_GROUP)',
      'EINVAL',
    ],
  ]
  for (const [over, op, code] of cases) {
    assert.throws(
      () => engine.openLink(spec(over)),
      (error) => {
        assert.ok(error instanceof OpError)
        assert.deepEqual([error.op, error.code], [op, code])
        return true
      },
    )
  }
})

test('an IPv6 source that is still tentative does not hold up the link', () => {
  ip('address', 'add', 'fe80::dad/64', 'dev', 'va')
  const source = address('fe80::dad')
  engine.closeLink(engine.openLink(spec({ family: 6, source, group: groups[6] })))
})

test('an interface that goes away: failures are told, once, and nothing breaks', async () => {
  ip('link', 'add', 'name', 'gone', 'type', 'veth', 'peer', 'name', 'gone2')
  ip('link', 'set', 'dev', 'gone', 'up')
  ip('link', 'set', 'dev', 'gone2', 'up')
  ip('address', 'add', '10.8.0.1/24', 'dev', 'gone')
  const index = ifindexIn(ip('-o', 'link', 'show', 'dev', 'gone'))
  const link = engine.openLink(
    spec({ interface: 'gone', ifindex: index, source: address('10.8.0.1') }),
  )
  const slot = newSlot()
  engine.addSlot(slot, link, 90)
  const plan: Plan = [
    { kind: 'datagram', link, to: groups[4], bytes: Uint8Array.of(0x21, 90) },
    ...add(vip('10.8.0.9', { ifindex: index })),
    { kind: 'frame', ifindex: index, bytes: new Uint8Array(60) },
  ]
  order(slot, leadWith(plan))
  await until(() => engine.counters(slot).sent > 2)
  events.length = 0
  ip('link', 'del', 'dev', 'gone')
  // In any order: some steps may have failed before the socket's end is told.
  const count = (kind: string) => events.filter((e) => e.kind === kind).length
  await until(() => count('linkFailed') > 0 && count('failed') >= 3)
  const calls = events.flatMap((e) => (e.kind === 'failed' ? [`${e.call} ${e.code}`] : []))
  assert.ok(calls.includes('RTM_NEWADDR ENODEV'), calls.join())
  // While the interface goes the errors change, and each change is news; then there is quiet, however often it repeats.
  let quietSince = engine.now()
  await until(() => {
    if (events.some((e) => e.kind !== 'kernel')) quietSince = engine.now()
    events.length = 0
    return engine.now() > quietSince + 200_000
  })
  order(slot, { kind: 'idle', now: plan })
  await engine.flush()
  engine.removeSlot(slot)
  engine.closeLink(link)
})
