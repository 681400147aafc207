/** `auth_type AH`: where it is taken, and what keepalived 2.2.7 says where it is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { check, findings, instanceText, only } from './reading.ts'

const auth = (password = '1111'): string =>
  `authentication {\n auth_type AH\n auth_pass ${password}\n }`

test('version 2 over IPv4: the password is the key, and check names what is better', () => {
  const report = check(instanceText(`version 2\n ${auth()}`))
  const { ahKey, password } = only(report)
  assert.equal(ahKey && toHex(ahKey), '3131313100000000')
  assert.equal(password, null)
  assert.deepEqual(
    [report.exit, findings(report).map((it) => it.split('@')[0])],
    [0, ['weak-signature']],
  )
  const [warning] = report.diagnostics
  assert.match(warning?.message ?? '', /MD5.*auth_hmac/)
})

test('more than 8 characters are cut, with a message', () => {
  const report = check(instanceText(`version 2\n ${auth('longpass99')}`))
  assert.equal(toHex(only(report).ahKey ?? new Uint8Array()), '6c6f6e6770617373')
  assert.equal(report.exit, 5)
})

const dropped: readonly (readonly [string, string, string])[] = [
  ['version 3', `version 3\n ${auth()}`, 'version 3 has no authentication'],
  ['strict mode', `version 2\n strict_mode\n ${auth()}`, 'strict mode has no authentication'],
  ['no password', 'version 2\n authentication {\n auth_type AH\n }', 'no auth_pass'],
]

for (const [what, lines, why] of dropped)
  test(`${what}: it runs without authentication, and the place and the reason are named`, () => {
    const report = check(instanceText(lines))
    assert.equal(only(report).ahKey, null)
    assert.equal(report.exit, 5)
    const found = report.diagnostics.find(({ message }) => message.includes(why))
    assert.ok(found !== undefined && found.place.line > 1, JSON.stringify(report.diagnostics))
  })

test('IPv6 in version 2: the same', () => {
  const report = check(instanceText(`version 2\n ${auth()}`, 'fe80::100'))
  assert.equal(only(report).ahKey, null)
  assert.ok(report.diagnostics.some(({ code }) => code === 'auth-dropped'))
})

test('state MASTER becomes BACKUP, as in keepalived', () => {
  const report = check(instanceText(`version 2\n state MASTER\n ${auth()}`))
  assert.equal(only(report).stateMaster, false)
  assert.equal(report.exit, 5)
  assert.ok(report.diagnostics.some(({ code }) => code === 'ah-state'))
})

test('the key is in no output', () => {
  const report = check(instanceText(`version 2\n ${auth('se-cret')}`))
  assert.doesNotMatch(JSON.stringify(report.diagnostics), /se-cret/)
})
