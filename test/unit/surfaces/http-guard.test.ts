/** Who may ask over HTTP: tokens, sessions, names and origins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Asked,
  cookieName,
  foreign,
  rightOf,
  rightOfToken,
  Sessions,
} from '../../../src/surfaces/http/guard.ts'

const asked = (more: Partial<Asked>): Asked => ({
  host: 'localhost',
  origin: undefined,
  authorization: undefined,
  cookie: undefined,
  ...more,
})
const tokens = { read: 'r'.repeat(20), act: 'a'.repeat(20) }

test('a token gives its right, a wrong one gives none, also where none is needed', () => {
  assert.equal(rightOfToken(tokens.read, tokens), 'read')
  assert.equal(rightOfToken(tokens.act, tokens), 'act')
  assert.equal(rightOfToken('', tokens), 'none')
  assert.equal(rightOfToken(tokens.act, { read: null, act: null }), 'none')
  const open = { read: null, act: tokens.act }
  const sessions = new Sessions()
  assert.equal(rightOf(asked({}), open, sessions), 'read')
  assert.equal(rightOf(asked({}), tokens, sessions), 'none')
  const bearer = (token: string) => asked({ authorization: `Bearer ${token}` })
  assert.equal(rightOf(bearer('wrong'), open, sessions), 'none')
  assert.equal(rightOf(bearer(tokens.act), open, sessions), 'act')
})

test('a session stands for its token until it is too old, or too many were opened after it', () => {
  const sessions = new Sessions()
  const id = sessions.open('act', 0)
  const cookie = `theme=dark; ${cookieName}=${id}`
  assert.equal(sessions.rightOf(id, 1), 'act')
  assert.equal(sessions.rightOf(id, 13 * 3_600_000), 'none')
  const later = sessions.open('read')
  assert.equal(rightOf(asked({ cookie: `${cookieName}=${later}` }), tokens, sessions), 'read')
  assert.equal(rightOf(asked({ cookie }), tokens, sessions), 'none')
  for (let i = 0; i < 256; i += 1) sessions.open('read')
  assert.equal(sessions.rightOf(later), 'none')
})

const names = new Set(['lb1', 'status.example.org'])
const cases: readonly [host: string | undefined, origin: string | undefined, ours: boolean][] = [
  ['localhost:9112', undefined, true],
  ['127.0.0.1:9112', 'http://127.0.0.1:9112', true],
  ['[::1]:9112', undefined, true],
  ['LB1:9112', 'https://lb1:9112', true],
  ['status.example.org', undefined, true],
  ['rebound.example.com:9112', undefined, false],
  ['lb1.example.com', undefined, false],
  [undefined, undefined, false],
  ['', undefined, false],
  ['lb1:9112', 'http://evil.example', false],
  ['lb1:9112', 'null', false],
  ['lb1:9112', 'http://lb1:8080', false],
]
for (const [host, origin, ours] of cases) {
  test(`host ${host}, origin ${origin}: ${ours ? 'ours' : 'foreign'}`, () => {
    assert.equal(foreign(asked({ host, origin }), names) === null, ours)
  })
}
