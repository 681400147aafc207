/** Whose an address is: by the mark, by the record, and what neither of them proves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRecord, encodeRecord, type OwnedObject } from '../../../src/kernel/marks.ts'
import { Judge, kernelMarks } from '../../../src/kernel/ours.ts'
import type { Survey } from '../../../src/kernel/survey.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import { encodeAddressReplace, type LinkAddress } from '../../../src/wire/rtnetlink-address.ts'
import { ip } from '../router/facts.ts'
import { plainAddress } from '../wire/plain-address.ts'

const scope = { bootId: 'boot', netns: 'net:[1]' }
const owned: OwnedObject = {
  kind: 'address',
  interface: 'eth0',
  ifindex: 2,
  address: ip('10.0.0.1'),
  prefixLength: 24,
  peer: null,
}

const [message] = decodeMessages(
  encodeAddressReplace(plainAddress('10.0.0.1', { validSeconds: 8 })),
)
assert(message?.kind === 'newaddr')
const marked: LinkAddress = message.address
const bare: LinkAddress = { ...marked, protocol: null }
const keepalived: LinkAddress = { ...marked, protocol: 18 }

const record = (objects: readonly OwnedObject[], at = scope) =>
  ({ kind: 'record', record: { scope: at, pid: 7, objects } }) as const
const survey = (more: Partial<Survey>): Survey => ({
  scope,
  own: { kind: 'none' },
  lives: false,
  neighbours: [],
  ...more,
})
const verdict = (seen: Partial<Survey>, marks: boolean, address: LinkAddress, on = 'eth0') =>
  new Judge(survey(seen), marks).address(address, on).kind

test('where the kernel marks, the mark alone decides; a lifetime proves nothing', () => {
  assert.equal(verdict({}, true, marked), 'ours')
  assert.equal(verdict({}, true, bare), 'foreign')
  assert.equal(verdict({}, true, keepalived), 'foreign')
  assert.equal(verdict({ own: record([owned]) }, true, bare), 'foreign')
})

test('where it does not, the record: of this boot, this namespace, that interface, that prefix', () => {
  const own = record([owned])
  assert.equal(verdict({ own }, false, bare), 'ours')
  assert.equal(verdict({}, false, bare), 'foreign')
  assert.equal(verdict({ own }, false, bare, 'eth1'), 'foreign')
  assert.equal(verdict({ own }, false, { ...bare, ifindex: 3 }), 'foreign')
  assert.equal(verdict({ own }, false, { ...bare, prefixLength: 32 }), 'foreign')
  for (const other of [{ bootId: 'other' }, { netns: 'net:[2]' }])
    assert.equal(verdict({ own: record([owned], { ...scope, ...other }) }, false, bare), 'foreign')
})

test('what a living neighbour names, or may name, is left; an unusable record removes nothing', () => {
  const unusable = { kind: 'unusable', why: 'its version is 2' } as const
  const own = record([owned])
  const named = [{ runDir: '/run/b', record: record([owned]) }]
  const unread = [{ runDir: '/run/b', record: unusable }]
  assert.equal(verdict({ neighbours: named }, true, marked), 'left')
  assert.equal(verdict({ own, neighbours: named }, true, marked), 'left')
  assert.equal(verdict({ neighbours: unread }, true, marked), 'left')
  assert.equal(verdict({ own, neighbours: unread }, true, marked), 'ours')
  assert.equal(verdict({ own: unusable }, true, marked), 'left')
})

test('marks: from 5.18 on, or where an address shows one', () => {
  const releases = ['6.1.0-13-amd64', '5.18.0', '5.17.9', '4.19.0', '5.4.0']
  assert.deepEqual(
    releases.map((it) => kernelMarks(it, [bare])),
    [true, true, false, false, false],
  )
  assert.equal(kernelMarks('5.14.0-427.el9', [bare, { ...bare, protocol: 2 }]), true)
})

test('a record comes back as it was written; what is not understood is unusable, with the reason', () => {
  const table: OwnedObject = { kind: 'nft-table', family: 'inet', name: 'vipd_run_0' }
  const written = { scope, pid: 7, objects: [owned, table] }
  const text = encodeRecord(written)
  assert.deepEqual(decodeRecord(text), { kind: 'record', record: written })
  const why = (changed: string) => {
    const read = decodeRecord(changed)
    return read.kind === 'unusable' ? read.why : read.kind
  }
  assert.match(why(text.replace('"version": 1', '"version": 2')), /its version is 2/)
  assert.match(why(text.replace('nft-table', 'route')), /unknown kind/)
  assert.match(why(text.slice(0, -10)), /no JSON/)
  for (const odd of ['', 'null', '[]', '{}', '"x"', '{"version":1}'])
    assert.notEqual(why(odd), 'record')
})
