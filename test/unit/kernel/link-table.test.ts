import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LinkChange, LinkTable, seenOf } from '../../../src/kernel/link-table.ts'
import { plainLink as plain } from './plain-link.ts'

const eth0 = (running = true) => seenOf({ ...plain, running })
const on = (linkKind: string, parent = 2, name = `${linkKind}0`, ifindex = 3) =>
  seenOf({ ...plain, ifindex, name, linkKind, parent })

const brief = (changes: readonly LinkChange[]) =>
  changes.map(({ name, after }) => `${name} ${after === null ? 'gone' : after.up ? 'up' : 'down'}`)

test('a link that sits on one that is down is down, though the kernel says that it is up', () => {
  for (const kind of ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']) {
    const links = new LinkTable()
    links.set(eth0())
    links.set(on(kind))
    assert.deepEqual(brief(links.set(eth0(false))), ['eth0 down', `${kind}0 down`])
    assert.equal(links.byName(`${kind}0`)?.up, false)
    assert.deepEqual(brief(links.set(eth0())), ['eth0 up', `${kind}0 up`])
  }
})

test('links on links follow, in whatever order the kernel tells of them', () => {
  const links = new LinkTable()
  links.set(on('ipvlan', 3, 'top', 4))
  links.set(on('vlan', 2, 'middle', 3))
  assert.deepEqual(brief(links.set(eth0(false))), ['eth0 down', 'middle down', 'top down'])
  assert.deepEqual(brief(links.set(eth0())), ['eth0 up', 'middle up', 'top up'])
  assert.deepEqual(brief(links.delete(2)), ['eth0 gone'])
  assert.equal(links.byName('top')?.up, true, 'its kernel deletes it itself')
})

test('a link that vipd switches on and off counts as up while the one below is', () => {
  const links = new LinkTable(null, (name) => name === 'vrrp.51')
  links.set(eth0())
  const own = (up: boolean) =>
    seenOf({
      ...plain,
      ifindex: 5,
      name: 'vrrp.51',
      linkKind: 'macvlan',
      parent: 2,
      up,
      running: up,
    })
  assert.deepEqual(brief(links.set(own(false))), ['vrrp.51 up'])
  // That it is switched is told, all the same.
  assert.deepEqual(brief(links.set(own(true))), ['vrrp.51 up'])
  assert.deepEqual(brief(links.set(own(true))), [])
  assert.equal(links.byName('vrrp.51')?.on, true)
  assert.deepEqual(brief(links.set(eth0(false))), ['eth0 down', 'vrrp.51 down'])
  // Of another program's only its state counts.
  links.set(seenOf({ ...plain, ifindex: 6, name: 'eth6', up: true, running: false }))
  assert.deepEqual(
    brief(links.set(seenOf({ ...plain, ifindex: 6, name: 'eth6', up: false, running: false }))),
    [],
  )
})

test('the other end of a veth, and a parent that is not known, say nothing', () => {
  const links = new LinkTable()
  links.set(eth0(false))
  links.set(on('veth'))
  assert.equal(links.byName('veth0')?.up, true)
  links.set(on('macvlan', 77))
  assert.equal(links.byName('macvlan0')?.up, true)
})

test('a table that was filled anew differs by what is up in it', () => {
  const before = new LinkTable()
  before.set(eth0())
  before.set(on('ipvlan'))
  const after = new LinkTable()
  after.set(on('ipvlan'))
  after.set(eth0(false))
  assert.deepEqual(brief(after.since(before)), ['eth0 down', 'ipvlan0 down'])
})
