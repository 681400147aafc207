/** D-Bus on the wire: octets of other implementations, values back and forth, and what is refused by which name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DbusFrames, dbusBodyBytesMax, dbusHeadBytesMax } from '../../../src/wire/dbus-frames.ts'
import {
  type DbusMessage,
  type DbusOutgoing,
  decodeDbusMessage,
  encodeDbusMessage,
} from '../../../src/wire/dbus-message.ts'
import { parseSignature } from '../../../src/wire/dbus-types.ts'
import { type DbusValue, decodeValues, encodeValues } from '../../../src/wire/dbus-values.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hexOf = (octets: Uint8Array | null): string => Buffer.from(octets ?? []).toString('hex')

/** From `dbus-monitor --binary` (dbus 1.14.10), with the sender that the bus has written. */
const foreign = {
  'a call of GDBus 2.74 with one of every type': {
    octets:
      '6c010001b0000000030000009500000001016f00150000002f6f72672f667265656465736b746f702f44427573000000020173001f0000006f72672e667265656465736b746f702e444275732e50726f706572746965730006017300140000006f72672e667265656465736b746f702e4442757300000000080167000373737600000000000000000301730003000000536574000000000007017300040000003a312e3100000000' +
      '01000000780000000100000079001f2879626e716975787464736f676128737629617b73767d6173617b73767d2900000100000001000000feff0300fcffffff0500000000000000faffffffffffffff0700000000000000000000000000f83f0500000074c3ab7874000000040000002f612f620005617b73767d0012000000010000006b00017300000000010000007600000010000000010000006100017500000000010000000000000000000000',
    message: {
      kind: 'call',
      serial: 3,
      noReply: false,
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Set',
      errorName: null,
      replySerial: null,
      destination: 'org.freedesktop.DBus',
      sender: ':1.1',
      signature: 'ssv',
      body: [
        'x',
        'y',
        {
          signature: '(ybnqiuxtdsoga(sv)a{sv}asa{sv})',
          value: [
            ...[1, true, -2, 3, -4, 5, -6n, 7n, 1.5, 'tëxt', '/a/b', 'a{sv}'],
            [['k', { signature: 's', value: 'v' }]],
            [['a', { signature: 'u', value: 1 }]],
            ...[[], []],
          ],
        },
      ],
    },
  },
  'an error of dbus-daemon': {
    octets:
      '6c0301011c000000040000007500000006017300040000003a312e3100000000040173002b0000006f72672e667265656465736b746f702e444275732e4572726f722e556e6b6e6f776e496e7465726661636500000000000501750003000000080167000173000007017300140000006f72672e667265656465736b746f702e4442757300000000' +
      '17000000496e7465726661636520227822206e6f7420666f756e6400',
    message: {
      kind: 'error',
      serial: 4,
      noReply: true,
      path: null,
      interface: null,
      member: null,
      errorName: 'org.freedesktop.DBus.Error.UnknownInterface',
      replySerial: 3,
      destination: ':1.1',
      sender: 'org.freedesktop.DBus',
      signature: 's',
      body: ['Interface "x" not found'],
    },
  },
  'a call of sd-bus without a body': {
    octets:
      '6c01040100000000020000007500000001016f00010000002f00000000000000030173000400000050696e670000000002017300190000006f72672e667265656465736b746f702e444275732e506565720000000000000006017300140000006f72672e667265656465736b746f702e444275730000000007017300040000003a312e3200000000',
    message: {
      kind: 'call',
      serial: 2,
      noReply: false,
      path: '/',
      interface: 'org.freedesktop.DBus.Peer',
      member: 'Ping',
      errorName: null,
      replySerial: null,
      destination: 'org.freedesktop.DBus',
      sender: ':1.2',
      signature: '',
      body: [],
    },
  },
} satisfies Record<string, { octets: string; message: DbusMessage }>

/** One message out of its octets. */
function read(octets: Uint8Array): ReturnType<typeof decodeDbusMessage> {
  const [frame, ...more] = new DbusFrames().push(octets) ?? []
  assert.ok(frame !== undefined && more.length === 0)
  return decodeDbusMessage(frame)
}

for (const [what, { octets, message }] of Object.entries(foreign)) {
  test(`${what} is read`, () => {
    assert.deepEqual(read(bytes(octets)), { ok: true, value: message })
  })

  test(`${what} is the same when we send it, but for the sender and the order of the fields`, () => {
    const encoded = encodeDbusMessage(message as DbusOutgoing)
    assert.ok(encoded !== null)
    assert.deepEqual(read(encoded), { ok: true, value: { ...message, sender: null } })
    const [frame] = new DbusFrames().push(bytes(octets)) ?? []
    assert.equal(hexOf(encodeValues(message.signature, message.body)), hexOf(frame?.body ?? null))
  })
}

test('big-endian messages are read', () => {
  // As a host of that order writes it: org.freedesktop.DBus.Peer.Ping at /, and (us) with 2, "Master".
  const fields = ['01016f00000000012f00000000000000', '030173000000000450696e6700000000'].join('')
  const call = bytes(`4201000100000000000000070000001d${fields}`)
  const { kind, serial, path, member } = { kind: 'call', serial: 7, path: '/', member: 'Ping' }
  const found = read(call)
  assert.ok(found.ok)
  const { value } = found
  assert.deepEqual(
    [value.kind, value.serial, value.path, value.member],
    [kind, serial, path, member],
  )
  const body = bytes('00000002000000064d617374657200')
  assert.deepEqual(decodeValues('(us)', body, false), { ok: true, value: [[2, 'Master']] })
})

const refused: readonly (readonly [what: string, signature: string, hex: string, why: string])[] = [
  ['a number that is cut off', 'u', '0100', 'cut-off'],
  ['a text longer than its message', 's', 'ff0000006100', 'cut-off'],
  ['an array longer than its message', 'ay', '05000000010203', 'cut-off'],
  ['an array whose last element crosses its end', 'au', '05000000010000000200000003', 'bad-array'],
  ['an array of more than 64 MiB', 'ay', '0100000400', 'bad-array'],
  ['a text without its end', 's', '010000006161', 'bad-text'],
  ['a text with a zero inside', 's', '03000000610062' + '00', 'bad-text'],
  ['a text that is no UTF-8', 's', '01000000ff00', 'bad-text'],
  ['a path that is none', 'o', '0300000061626300', 'bad-text'],
  ['a signature that is none', 'g', '02617b00', 'bad-text'],
  ['a variant of two types', 'v', '0275750001000000', 'bad-signature'],
  ['a variant of no type', 'v', '0000', 'bad-signature'],
  ['a boolean of 2', 'b', '02000000', 'bad-boolean'],
  ['padding that is not zero', 'yu', '0101000001000000', 'bad-padding'],
  ['octets after the last value', 'y', '0102', 'left-over'],
  ['variants within each other without end', 'v', '017600'.repeat(100), 'too-deep'],
]

for (const [what, signature, hex, why] of refused) {
  test(`${what} is refused`, () => {
    assert.deepEqual(decodeValues(signature, bytes(hex), true), { ok: false, why })
  })
}

test('signatures: what is one, and what is none', () => {
  for (const good of ['', 's', 'a{sv}', '(us)', 'aa{s(sv)}', 'v', `${'a'.repeat(32)}y`])
    assert.notEqual(parseSignature(good), null, good)
  const deep = `${'('.repeat(33)}y${')'.repeat(33)}`
  const bad = ['a', '(', '()', '{sv}', 'a{vs}', 'a{sv', 'a{svv}', 'z', 'a{s}', ')', 's\0']
  for (const text of [...bad, `${'a'.repeat(33)}y`, deep, 'y'.repeat(256)])
    assert.equal(parseSignature(text), null, text)
})

test('paths: what is one, and what is none', () => {
  assert.deepEqual(
    ['/', '/a/b_1', '', 'a', '/a/', '//', '/a-b', '/a//b'].map(
      (it) => encodeValues('o', [it]) !== null,
    ),
    [true, true, false, false, false, false, false, false],
  )
})

test('what does not belong to its type is not written', () => {
  const wrong: readonly (readonly [string, DbusValue])[] = [
    ['u', -1],
    ['u', 1.5],
    ['y', 256],
    ['t', 1],
    ['x', 2n ** 63n],
    ['b', 1],
    ['s', 'a\0b'],
    ['o', 'no path'],
    ['g', 'a{'],
    ['v', 'no variant'],
    ['v', { signature: 'uu', value: 1 }],
    ['as', 'no list'],
    ['(us)', [1]],
  ]
  for (const [signature, value] of wrong)
    assert.equal(encodeValues(signature, [value]), null, `${signature} ${String(value)}`)
  assert.equal(encodeValues('u', []), null)
})

test('a message lacks what its kind needs, or has a field of another type', () => {
  const call = { kind: 'call', serial: 1, path: '/', member: 'Ping' } as const
  const encoded = (message: DbusOutgoing): Uint8Array => encodeDbusMessage(message) ?? bytes('')
  assert.equal(read(encoded(call)).ok, true)
  const missing = { ok: false, why: 'missing-field' }
  assert.deepEqual(read(encoded({ kind: 'call', serial: 1, path: '/' })), missing)
  assert.deepEqual(read(encoded({ kind: 'signal', serial: 1, path: '/', member: 'A' })), missing)
  assert.deepEqual(read(encoded({ kind: 'return', serial: 1 })), missing)
  assert.deepEqual(read(encoded({ kind: 'error', serial: 1, replySerial: 1 })), missing)
  assert.deepEqual(read(encoded({ ...call, serial: 0 })), { ok: false, why: 'bad-header' })
  // The path's variant says that it is a text.
  const octets = encoded(call)
  octets[octets.indexOf(0x6f)] = 0x73
  assert.deepEqual(read(octets), { ok: false, why: 'bad-field' })
  const body = encoded({ ...call, signature: 'b', body: [true] })
  body[body.length - 4] = 7
  const found = read(body)
  assert.ok(found.ok)
  assert.equal(found.value.body, null)
})

test('a body that is too large is passed over, a head that is too large with all that follows it', () => {
  const call = { kind: 'call', serial: 1, path: '/', member: 'Ping' } as const
  const large = 'x'.repeat(dbusBodyBytesMax)
  const first = encodeDbusMessage({ ...call, signature: 's', body: [large] })
  const second = encodeDbusMessage({
    ...call,
    serial: 2,
    destination: 'y'.repeat(dbusHeadBytesMax),
  })
  const third = encodeDbusMessage({ ...call, serial: 3 })
  assert.ok(first !== null && second !== null && third !== null)
  const stream = Buffer.concat([first, second, third])
  for (const step of [stream.length, 1_000, 17]) {
    const frames = new DbusFrames()
    const found: unknown[] = []
    for (let at = 0; at < stream.length; at += step)
      for (const frame of frames.push(stream.subarray(at, at + step)) ?? []) {
        const message = decodeDbusMessage(frame)
        assert.ok(message.ok)
        found.push([message.value.serial, message.value.signature, message.value.body])
      }
    assert.deepEqual(found, [
      [1, 's', null],
      [3, '', []],
    ])
  }
})

test('what begins no message ends the stream', () => {
  assert.equal(new DbusFrames().push(bytes('00'.repeat(16))), null)
  assert.equal(new DbusFrames().push(bytes(`6c010002${'00'.repeat(12)}`)), null)
  assert.deepEqual(new DbusFrames().push(bytes('6c01')), [])
})
