/** Any octets are a message of D-Bus, perhaps a bad one; and what a signature allows is written and read back as it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DbusFrames } from '../../src/wire/dbus-frames.ts'
import { decodeDbusMessage, encodeDbusMessage } from '../../src/wire/dbus-message.ts'
import { type DbusValue, decodeValues, encodeValues } from '../../src/wire/dbus-values.ts'
import { fc } from '../property.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000)

type Typed = { readonly signature: string; readonly value: DbusValue }

const typed = (signature: string, value: fc.Arbitrary<DbusValue>): fc.Arbitrary<Typed> =>
  value.map((it) => ({ signature, value: it }))

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((it) => it.replaceAll('\0', ''))
const path = fc.array(fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/), { maxLength: 4 })

const basic: fc.Arbitrary<Typed> = fc.oneof(
  typed('y', fc.integer({ min: 0, max: 255 })),
  typed('b', fc.boolean()),
  typed('n', fc.integer({ min: -0x8000, max: 0x7fff })),
  typed('q', fc.integer({ min: 0, max: 0xffff })),
  typed('i', fc.integer()),
  typed('u', fc.integer({ min: 0, max: 0xffff_ffff })),
  typed('x', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  typed('t', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  typed('d', fc.double()),
  typed('s', text),
  typed(
    'o',
    path.map((parts) => `/${parts.join('/')}`),
  ),
  typed('g', fc.constantFrom('', 's', 'a{sv}', '(us)', 'aai')),
)

const { any } = fc.letrec<{ any: Typed }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    basic,
    tie('any').map((it): Typed => ({ signature: 'v', value: it })),
    // The same value several times over: all elements of an array are of one type.
    fc.tuple(tie('any'), fc.nat(3)).map(([it, n]): Typed => {
      const value = Array.from({ length: n }, () => it.value)
      return { signature: `a${it.signature}`, value }
    }),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((fields): Typed => {
      const signature = `(${fields.map((it) => it.signature).join('')})`
      return { signature, value: fields.map((it) => it.value) }
    }),
    fc.tuple(basic, tie('any'), fc.nat(2)).map(([key, it, n]): Typed => {
      const value = Array.from({ length: n }, () => [key.value, it.value])
      return { signature: `a{${key.signature}${it.signature}}`, value }
    }),
  ),
}))

test('values are read back as they were written', () => {
  fc.assert(
    fc.property(fc.array(any, { maxLength: 4 }), (list) => {
      const signature = list.map((it) => it.signature).join('')
      const values = list.map((it) => it.value)
      const octets = encodeValues(signature, values)
      // Only a signature that is too long is not one.
      if (octets === null) return assert.ok(signature.length > 255)
      assert.deepEqual(decodeValues(signature, octets, true), { ok: true, value: values })
    }),
    { numRuns },
  )
})

const message = fc.record({
  kind: fc.constantFrom('call' as const, 'signal' as const),
  serial: fc.integer({ min: 1, max: 0xffff_ffff }),
  noReply: fc.boolean(),
  path: path.map((parts) => `/${parts.join('/')}`),
  interface: text,
  member: text,
  values: fc.array(any, { maxLength: 3 }),
})

function octetsOf({ values, ...head }: typeof message extends fc.Arbitrary<infer M> ? M : never) {
  const signature = values.map((it) => it.signature).join('')
  return encodeDbusMessage({ ...head, signature, body: values.map((it) => it.value) })
}

test('messages are read back, however the stream is cut', () => {
  const cut = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), cut, (messages, cuts) => {
      const known = messages.filter((it) => octetsOf(it) !== null)
      const stream = Buffer.concat(known.map((it) => octetsOf(it) ?? new Uint8Array()))
      const frames = new DbusFrames()
      const found: unknown[] = []
      for (let at = 0, i = 0; at < stream.length; i += 1) {
        const step = cuts[i % cuts.length] ?? 1
        const some = frames.push(stream.subarray(at, at + step))
        assert.ok(some !== null)
        for (const frame of some) {
          const it = decodeDbusMessage(frame)
          assert.ok(it.ok)
          found.push([it.value.serial, it.value.path, it.value.member, it.value.body])
        }
        at += step
      }
      assert.deepEqual(
        found,
        known.map((it) => [it.serial, it.path, it.member, it.values.map(({ value }) => value)]),
      )
    }),
    { numRuns: numRuns / 4 },
  )
})

function damaged(octets: Buffer, spots: readonly [number, number][]): Buffer {
  for (const [at, value] of spots) if (octets.length > 0) octets[at % octets.length] = value
  return octets
}

test('damaged messages are refused by name, or are within what a message can be', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 })
  fc.assert(
    fc.property(message, changes, fc.uint8Array({ maxLength: 60 }), (good, spots, tail) => {
      const octets = damaged(Buffer.concat([octetsOf(good) ?? new Uint8Array(), tail]), spots)
      for (const frame of new DbusFrames().push(octets) ?? []) {
        const it = decodeDbusMessage(frame)
        if (!it.ok) continue
        assert.ok(it.value.serial >= 1)
        // What is read could be sent on.
        const { sender: _bus, body, ...head } = it.value
        const passedOver = body === null ? { signature: '' } : {}
        assert.notEqual(encodeDbusMessage({ ...head, ...passedOver, body: body ?? [] }), null)
      }
    }),
    { numRuns },
  )
})

test('octets of any signature never throw', () => {
  const signature = fc.oneof(
    any.map((it) => it.signature),
    fc.string({ maxLength: 12 }),
  )
  fc.assert(
    fc.property(signature, fc.uint8Array({ maxLength: 80 }), fc.boolean(), (it, octets, little) => {
      const found = decodeValues(it, octets, little)
      if (found.ok && little && it.length > 0)
        assert.deepEqual(encodeValues(it, found.value)?.length, octets.length)
    }),
    { numRuns },
  )
})
