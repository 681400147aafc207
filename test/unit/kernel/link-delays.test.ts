/** interface_up_down_delays, in the mirror: what counts of a link, and when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkDelays } from '../../../src/kernel/link-delays.ts'
import { type LinkChange, LinkTable, seenOf } from '../../../src/kernel/link-table.ts'
import type { Link } from '../../../src/wire/rtnetlink-link.ts'
import { plainLink as plain } from './plain-link.ts'

const brief = (changes: readonly LinkChange[]) =>
  changes.map(({ name, after }) => `${name} ${after === null ? 'gone' : after.up ? 'up' : 'down'}`)

function watch({ downMs = 1000, upMs = 3000 } = {}) {
  const clock = { ms: 0 }
  const delays = new LinkDelays(() => clock.ms)
  delays.set([{ interface: 'eth0', downMs, upMs }])
  const links = new LinkTable(delays)
  const hear = (running: boolean, more: Partial<Link> = {}) =>
    brief(links.set(seenOf({ ...plain, running, ...more })))
  const after = (ms: number) => {
    clock.ms += ms
    return brief(delays.elapsed().flatMap((ifindex) => links.again(ifindex)))
  }
  const news = () => delays.takeNews().map(({ kind, up }) => `${kind} ${up ? 'up' : 'down'}`)
  return { delays, links, hear, after, news }
}

test('down counts after its span and not before; up after its own', () => {
  const { delays, links, hear, after, news } = watch()
  assert.deepEqual(hear(true), ['eth0 up'])
  assert.deepEqual(hear(false), [])
  assert.equal(delays.nextMs, 1000)
  assert.match(delays.warnings.join(), /^eth0 is down, which counts in 1 s/)
  assert.deepEqual(after(999), [])
  assert.equal(links.byName('eth0')?.up, true)
  assert.deepEqual(after(1), ['eth0 down'])
  assert.deepEqual(hear(true), [])
  assert.deepEqual(after(2999), [])
  assert.deepEqual(after(1), ['eth0 up'])
  assert.equal(delays.nextMs, null)
  assert.deepEqual(delays.warnings, [])
  assert.deepEqual(news(), ['delayed down', 'delayed up'])
})

test('a flap is no change, is told once, and the next one has its whole span', () => {
  const { delays, hear, after, news } = watch()
  hear(true)
  hear(false)
  after(900)
  assert.deepEqual(hear(true), [])
  assert.deepEqual(news(), ['delayed down', 'flapped up'])
  assert.deepEqual(after(5000), [])
  assert.deepEqual(hear(false), [])
  assert.equal(delays.nextMs, 1000)
  assert.deepEqual(news(), ['delayed down'])
})

test('what is told again while it waits does not begin its span anew', () => {
  const { hear, after, news } = watch()
  hear(true)
  hear(false)
  after(600)
  hear(false, { mtu: 1400 })
  assert.deepEqual(after(400), ['eth0 down'])
  assert.deepEqual(news(), ['delayed down'])
})

test('at first sight, up for the first time, and deleted: at once', () => {
  const { links, hear } = watch()
  assert.deepEqual(hear(false), ['eth0 down'])
  assert.deepEqual(hear(true), ['eth0 up'])
  assert.deepEqual(brief(links.delete(2)), ['eth0 gone'])
  assert.deepEqual(hear(false), ['eth0 down'], 'another link of that name')
  assert.deepEqual(hear(true), ['eth0 up'])
})

test('a span of 0, and an interface without delays, count at once', () => {
  const { links, hear } = watch({ downMs: 0, upMs: 0 })
  hear(true)
  assert.deepEqual(hear(false), ['eth0 down'])
  assert.deepEqual(hear(true), ['eth0 up'])
  const other = (running: boolean) =>
    brief(links.set(seenOf({ ...plain, ifindex: 3, name: 'eth1', running })))
  other(true)
  assert.deepEqual(other(false), ['eth1 down'])
})

test('what sits on a link that flaps does not change either', () => {
  const { links, hear, after } = watch()
  hear(true)
  links.set(seenOf({ ...plain, ifindex: 3, name: 'vlan5', parent: 2, linkKind: 'vlan' }))
  assert.deepEqual(hear(false), [])
  assert.equal(links.byName('vlan5')?.up, true)
  assert.deepEqual(after(1000), ['eth0 down', 'vlan5 down'])
})

test('a table that is read anew during the span counts as the one before', () => {
  const { delays, links, hear } = watch()
  hear(true)
  hear(false)
  const anew = new LinkTable(delays)
  anew.set(seenOf({ ...plain, running: false }))
  assert.deepEqual(brief(anew.since(links)), [])
  assert.equal(delays.nextMs, 1000)
  delays.keep(() => false)
  assert.equal(delays.nextMs, null)
})

test('delays that a reload removes or shortens hold for a span that has begun', () => {
  const { delays, hear, after } = watch()
  hear(true)
  hear(false)
  delays.set([{ interface: 'eth0', downMs: 5000, upMs: 0 }])
  assert.equal(delays.nextMs, 1000, 'it is not made longer')
  delays.set([])
  assert.equal(delays.nextMs, 0)
  assert.deepEqual(after(0), ['eth0 down'])
})

test('what waits in one process goes on in the next, which sees the link first while it waits', () => {
  const before = watch()
  before.hear(true)
  before.hear(false)
  before.after(400)
  const passed = JSON.parse(JSON.stringify(before.delays.snapshot()))
  for (const up of [false, true]) {
    const next = watch()
    next.delays.adopt(passed)
    assert.deepEqual(next.hear(up), ['eth0 up'], 'as it counts, whatever it is')
    assert.equal(next.delays.nextMs, up ? null : 600)
    assert.deepEqual(next.after(600), up ? [] : ['eth0 down'])
  }
})
