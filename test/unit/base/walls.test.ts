import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rooms } from '../../lint/rooms.ts'
import { faultsOf, faultsOfTable } from '../../lint/walls.ts'

test('the table of rooms has no arrow up and no circle', () => {
  assert.deepEqual(faultsOfTable(rooms), [])
  const upward = [
    { path: 'a', what: '', may: ['b'] },
    { path: 'b', what: '', may: [] },
  ]
  assert.deepEqual(faultsOfTable(upward), ['a: b does not stand before it'])
})

test('an import through a wall is said, in each form of import', () => {
  const forms = (path: string) => [
    `import { x } from '${path}'`,
    `import type { X } from '${path}'`,
    `await import('${path}')`,
    `new URL('${path}', import.meta.url)`,
  ]
  for (const form of forms('../daemon/daemon.ts'))
    assert.equal(faultsOf('wire/arp.ts', form, rooms).length, 1, form)
  for (const form of forms('../base/ip.ts'))
    assert.deepEqual(faultsOf('wire/arp.ts', form, rooms), [], form)
})

test('a pure room imports neither a package nor Node; an unknown folder is said', () => {
  assert.equal(faultsOf('config/types.ts', "import 'node:fs'", rooms).length, 1)
  assert.deepEqual(faultsOf('loading/files.ts', "import { x } from 'node:fs'", rooms), [])
  assert.equal(faultsOf('attic/x.ts', '', rooms).length, 1)
})
