/** Links that are opened for slots, on an engine that refuses some. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { Links, type Member, type SocketKey } from '../../../src/router/binding/sockets.ts'
import { BookEngine } from './book-engine.ts'
import { ip } from './facts.ts'

const key = (ifindex: number): SocketKey => ({
  family: 4,
  ifindex,
  interface: `eth${ifindex}`,
  receiveOnAny: false,
  source: ip(`10.0.${ifindex}.1`),
  group: ip('224.0.0.18'),
  ttl: 255,
  receiveBufferBytes: null,
})

const member = (vrid: number): Member => ({ vrid, peers: [], name: `VI_${vrid}` })

/** Refuses slots of this VRID, as the engine refuses what its own books do not allow; and, if told, to open sockets. */
class Refusing extends BookEngine {
  refused = 66
  refusesLinks = false

  override openLink(spec: Parameters<BookEngine['openLink']>[0]): number {
    if (this.refusesLinks) throw new OpError('socket', 'ENOBUFS')
    return super.openLink(spec)
  }

  override addSlot(...[slot, link, vrid, peers]: Parameters<BookEngine['addSlot']>): void {
    if (vrid === this.refused) throw new Error(`no slot for VRID ${vrid}`)
    super.addSlot(slot, link, vrid, peers)
  }
}

test('a link that was opened for a slot that the engine refuses is closed again', () => {
  const engine = new Refusing()
  const links = new Links(engine)
  assert.throws(() => links.join(1, member(66), key(1)), /no slot for VRID 66/)
  assert.deepEqual([engine.links.size, links.ids, links.memberships], [0, [], []])
  links.join(1, member(51), key(1))
  assert.deepEqual([engine.links.size, engine.slots.size], [1, 1])
})

test('a link that others use stays, and lets in what theirs is', () => {
  const engine = new Refusing()
  const links = new Links(engine)
  const shared = links.join(1, member(51), key(1))
  assert.throws(() => links.join(2, member(66), key(1)), /VRID 66/)
  assert.deepEqual([links.ids, links.slotsOf(shared)], [[shared], [1]])
})

test('a slot that is refused at another place has left the one it had, whose link is closed', () => {
  const engine = new Refusing()
  const links = new Links(engine)
  links.join(1, member(51), key(1))
  assert.throws(() => links.join(1, member(66), key(2)), /VRID 66/)
  assert.deepEqual([engine.links.size, engine.slots.size, links.ids], [0, 0, []])
})

test('several that change places: what the engine refuses leaves no link behind', () => {
  const engine = new Refusing()
  const links = new Links(engine)
  links.join(1, member(51), key(1))
  links.join(2, member(52), key(2))
  const moves = [
    { slot: 1, ...member(51), key: key(3) },
    { slot: 2, ...member(66), key: key(4) },
  ]
  assert.throws(() => links.moveTogether(moves), /VRID 66/)
  assert.deepEqual(
    [...engine.links.values()].map((it) => it.ifindex),
    [3],
  )
  assert.deepEqual(
    links.memberships.map((it) => it.ifindex),
    [3],
  )
})

test('several that change places: who would need the place of one that stays, stays as well', () => {
  const engine = new Refusing()
  const links = new Links(engine)
  links.join(1, member(51), key(1))
  links.join(2, member(51), key(2))
  links.join(3, member(51), key(3))
  engine.refusesLinks = true
  links.moveTogether([
    { slot: 1, ...member(51), key: key(4) },
    { slot: 2, ...member(51), key: key(1) },
    { slot: 3, ...member(51), key: key(2) },
  ])
  const places = [1, 2, 3].map((slot) => links.ids.find((id) => links.slotsOf(id).includes(slot)))
  assert.equal(new Set(places).size, 3)
  assert.deepEqual(
    links.memberships.map((it) => it.ifindex),
    [1, 2, 3],
  )
})
