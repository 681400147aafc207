import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { errnoName } from '../../../src/addon/errno.ts'
import { errno } from '../../../src/wire/rtnetlink-numbers.ts'

test("an errno has the kernel's name, whatever else the C library calls it", () => {
  const { EAGAIN, EOPNOTSUPP, EDEADLK, ENODEV } = constants.errno
  const names = [EAGAIN, EOPNOTSUPP, EDEADLK, ENODEV].map(errnoName)
  assert.deepEqual(names, ['EAGAIN', 'EOPNOTSUPP', 'EDEADLK', 'ENODEV'])
  for (const number of Object.values(constants.errno))
    assert.match(errnoName(number), /^E[A-Z0-9]+$/)
  assert.equal(errnoName(4095), 'errno 4095')
})

test('the errnos that plans tolerate are those of this system', () => {
  for (const [name, number] of Object.entries(errno)) assert.equal(errnoName(number), name)
})
