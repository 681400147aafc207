/** `auth_hmac`: what a file may say, what keepalived makes of its corners, and that nothing runs unsigned by mistake. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeMachine } from './fake-world.ts'
import { check, findings, instanceText, only } from './reading.ts'

const k1 = `hex:${'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'}`
const plain = 'correct-horse-battery-staple-0123456789'
const block = (...lines: readonly string[]): string =>
  instanceText(`auth_hmac {\n    ${lines.join('\n    ')}\n  }`)
const read = (lines: readonly string[], machine: FakeMachine = {}) =>
  check(block(...lines), machine)
const hmacOf = (...lines: readonly string[]) => only(read(lines)).hmac

test('the usual block, with its defaults', () => {
  const hmac = hmacOf(`key 1 ${k1}`, `key 7 ${plain}`, 'active_key 7')
  assert.deepEqual(hmac, {
    keys: [
      { id: 1, secret: Uint8Array.from({ length: 32 }, (_, i) => i) },
      { id: 7, secret: new TextEncoder().encode(plain) },
    ],
    activeKey: 7,
    mode: 'enforce',
    monotonic: false,
    windowSeconds: 5,
  })
  assert.equal(only(check(instanceText())).hmac, null)
})

test('every keyword', () => {
  const hmac = hmacOf(
    `key 255 ${k1.toUpperCase().replace('HEX', 'hex')}`,
    'active_key 255',
    'anti_replay monotonic',
    'time_window 300',
    'mode receive-only',
  )
  assert.deepEqual(
    [hmac?.activeKey, hmac?.monotonic, hmac?.windowSeconds, hmac?.mode],
    [255, true, 300, 'receive-only'],
  )
})

test('the window follows advert_int: three of its whole seconds, 5 to 300', () => {
  for (const [interval, window] of [
    ['0.5', 5],
    ['1', 5],
    ['2', 6],
    ['2.9', 6],
    ['40', 120],
  ] as const) {
    const text = instanceText(
      `version 3\n  advert_int ${interval}\n  auth_hmac {\n key 1 ${k1}\n active_key 1\n }`,
    )
    assert.equal(only(check(text)).hmac?.windowSeconds, window, interval)
  }
  const slow = `version 2\n advert_int 255\n auth_hmac {\n key 1 ${k1}\n active_key 1\n }`
  assert.equal(only(check(instanceText(slow))).hmac?.windowSeconds, 300)
})

test('hexadecimal: the last digit of an odd number is an octet of its own, and it is said', () => {
  const report = read([`key 1 ${k1}f`, 'active_key 1'])
  const [key] = only(report).hmac?.keys ?? []
  assert.equal(key?.secret.length, 33)
  assert.equal(key?.secret.at(-1), 15)
  assert.deepEqual(findings(report), ['odd-key@5'])
  assert.equal(report.exit, 0)
})

test('a key that is cut at # or !: as keepalived cuts it, and it is said', () => {
  for (const mark of ['#', '!']) {
    const report = read([`key 1 ${plain}${mark}more`, 'active_key 1'])
    assert.deepEqual(only(report).hmac?.keys[0]?.secret, new TextEncoder().encode(plain))
    assert.deepEqual(findings(report), ['key-comment@5'])
    const quoted = read([`key 1 "${plain}${mark}more"`, 'active_key 1'])
    assert.equal(only(quoted).hmac?.keys[0]?.secret.length, plain.length + 5)
    assert.deepEqual(findings(quoted), [])
  }
})

const key = (text: string, mode = 0o600): FakeMachine => ({ files: { '/k': { text, mode } } })

test('key files: text or hex:, whatever ends the line', () => {
  for (const text of [plain, `${plain}\n`, `${plain}\r\n`])
    assert.deepEqual(
      only(read(['key 1 file:/k', 'active_key 1'], key(text))).hmac?.keys[0]?.secret,
      new TextEncoder().encode(plain),
    )
  const hex = only(read(['key 1 file:/k', 'active_key 1'], key(`${k1}\n`)))
  assert.equal(hex.hmac?.keys[0]?.secret.length, 32)
})

test('a key file that others may read is named, and used', () => {
  for (const mode of [0o640, 0o604, 0o644]) {
    const report = read(['key 1 file:/k', 'active_key 1'], key(plain, mode))
    assert.equal(report.exit, 6)
    const found = report.diagnostics.find(({ code }) => code === 'key-file-readable')
    assert.match(found?.message ?? '', /the file of key 1, \/k, is readable by its group or by/)
    assert.notEqual(only(report).hmac, null)
  }
})

const unusable: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no active_key', [`key 1 ${k1}`], /auth_hmac has no active_key/],
  ['an empty block', [], /auth_hmac has no active_key/],
  ['active_key without a key', [`key 1 ${k1}`, 'active_key 2'], /active_key 2 is not defined/],
  ['a key too short', ['key 1 hex:0001', 'active_key 1'], /active_key 1 cannot be used/],
  ['a key too long', [`key 1 ${'x'.repeat(65)}`, 'active_key 1'], /active_key 1 cannot be used/],
  ['colons', [`key 1 ${k1.slice(0, 6)}:${k1.slice(6)}`, 'active_key 1'], /cannot be used/],
  ['a wrong digit', [`key 1 ${k1.slice(0, -1)}g`, 'active_key 1'], /cannot be used/],
  ['a missing file', ['key 1 file:/none', 'active_key 1'], /cannot be used/],
  ['id 0', [`key 0 ${k1}`, 'active_key 0'], /auth_hmac has no active_key/],
  ['id 256', [`key 256 ${k1}`, 'active_key 256'], /auth_hmac has no active_key/],
]

for (const [what, lines, why] of unusable)
  test(`${what}: the instance is left out, the rest of the file runs`, () => {
    const other = instanceText().replace(' V ', ' W ').replace('51', '52')
    const report = check(block(...lines) + other)
    assert.equal(report.exit, 5)
    assert.deepEqual(
      report.config?.instances.map(({ name }) => name),
      ['W'],
    )
    const refused = report.diagnostics.find(({ code }) => code === 'refused-instance')
    assert.match(refused?.message ?? '', why)
  })

test('a bad key that is not the active one is named and not used', () => {
  const report = read([`key 1 ${k1}`, 'key 2 hex:00', 'active_key 1'])
  assert.equal(report.exit, 5)
  assert.deepEqual(
    only(report).hmac?.keys.map(({ id }) => id),
    [1],
  )
  assert.deepEqual(findings(report), ['bad-key@6'])
})

test('of two keys with one id the first counts', () => {
  const report = read([`key 1 ${k1}`, `key 1 ${plain}`, 'active_key 1'])
  assert.equal(report.exit, 5)
  assert.equal(only(report).hmac?.keys[0]?.secret.length, 32)
  assert.deepEqual(findings(report), ['duplicate@6'])
})

test('authentication beside it is dropped with a message, AH too', () => {
  for (const type of ['PASS', 'AH']) {
    const auth = `version 2\n authentication {\n auth_type ${type}\n auth_pass 1111\n }`
    const report = check(instanceText(`${auth}\n auth_hmac {\n key 1 ${k1}\n active_key 1\n }`))
    assert.equal(only(report).password, null)
    assert.ok(only(report).hmac !== null)
    assert.ok(report.diagnostics.some(({ code }) => code === 'auth-dropped'))
    assert.equal(report.exit, 5)
  }
})

test('strict: enforce, whatever is written', () => {
  const report = check(
    instanceText(
      `strict_mode\n version 3\n auth_hmac {\n key 1 ${k1}\n active_key 1\n mode permissive\n }`,
    ),
  )
  assert.equal(only(report).hmac?.mode, 'enforce')
  assert.equal(report.exit, 5)
})

test('a bad value keeps the default; an unknown word is named', () => {
  const report = read([
    `key 1 ${k1}`,
    'active_key 1',
    'time_window 301',
    'mode lax',
    'anti_replay never',
    'cipher none',
  ])
  const { hmac } = only(report)
  assert.deepEqual([hmac?.windowSeconds, hmac?.mode, hmac?.monotonic], [5, 'enforce', false])
  assert.ok(findings(report).includes('unknown-keyword@10'))
})

test('no key is shown: in no message, not in the text, not as JSON', () => {
  const bad = 'secret-key-of-31-octets-1234567'
  const report = read([`key 1 ${plain}`, `key 2 ${bad}`, `key 3 hex:zz${bad}`, 'active_key 1'])
  const shown = JSON.stringify([report.json, report.text, report.diagnostics])
  for (const secret of [plain, bad, '99,111,114,114,101,99,116', toHex(plain)])
    assert.ok(!shown.includes(secret), secret)
  assert.match(report.text, /HMAC-SHA-256, mode enforce, signs with key 1 and knows 1/)
})

const toHex = (of: string): string => Buffer.from(of).toString('hex')
