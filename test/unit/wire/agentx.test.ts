/** AgentX: packets of net-snmp octet by octet, any value there and back, any octets refused by name, any cut of a stream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, toHex } from '../../../src/base/bytes.ts'
import {
  type AgentxBody,
  type AgentxPdu,
  decodeAgentx,
  encodeAgentx,
} from '../../../src/wire/agentx.ts'
import { AgentxFrames, agentxPayloadMax } from '../../../src/wire/agentx-frames.ts'
import type { Binding, Value } from '../../../src/wire/agentx-parts.ts'
import { compareOids, isWithin, oid, oidText } from '../../../src/wire/oid.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_000)

/** Between keepalived 2.2.7, which is net-snmp's library, and snmpd 5.9.3; the octets of a little-endian host. */
const seen: readonly (readonly [string, string, Partial<AgentxPdu>])[] = [
  [
    'a registration, with the default context as an empty one',
    '01030800 06000000 00000000 8ab1645a 24000000 00000000 ff7f0000 06040000 01000000 72250000 64000000 05000000 01000000 01000000',
    {
      kind: 'register',
      session: 6,
      context: new Uint8Array(),
      timeoutSeconds: 255,
      priority: 127,
      subtree: oid('1.3.6.1.4.1.9586.100.5.1.1'),
    },
  ],
  [
    'a request for two objects',
    '01050800 06000000 01000000 02000000 48000000 00000000 07040000 01000000 72250000 64000000 05000000 01000000 02000000 00000000 00000000 06020000 01000000 cf000000 01000000 02000000 01000000 00000000 00000000',
    {
      kind: 'get',
      packet: 2,
      ranges: [
        { start: oid('1.3.6.1.4.1.9586.100.5.1.2.0'), include: false, end: [] },
        { start: oid('1.3.6.1.2.1.207.1.2.1.0'), include: false, end: [] },
      ],
    },
  ],
  [
    'its answer: a string, a counter of 64 bits',
    '01120800 06000000 01000000 02000000 60000000 00000000 00000000 00000000 04000000 07040000 01000000 72250000 64000000 05000000 01000000 02000000 00000000 03000000 6c623100 46000000 06020000 01000000 cf000000 01000000 02000000 01000000 00000000 00000000 00000000',
    {
      kind: 'response',
      error: 0,
      bindings: [
        {
          name: oid('1.3.6.1.4.1.9586.100.5.1.2.0'),
          value: { type: 'octets', value: fromHex('6c6231') },
        },
        { name: oid('1.3.6.1.2.1.207.1.2.1.0'), value: { type: 'counter64', value: 0n } },
      ],
    },
  ],
  [
    'what comes next, within a bound, the start included',
    '01060800 06000000 03000000 05000000 44000000 00000000 07040100 01000000 72250000 64000000 05000000 01000000 03000000 01000000 07040000 01000000 72250000 64000000 05000000 01000000 03000000 02000000',
    {
      kind: 'getNext',
      transaction: 3,
      packet: 5,
      ranges: [
        {
          start: oid('1.3.6.1.4.1.9586.100.5.1.3.1'),
          include: true,
          end: oid('1.3.6.1.4.1.9586.100.5.1.3.2'),
        },
      ],
    },
  ],
  [
    'the end of what there is',
    '01120800 06000000 03000000 04000000 30000000 00000000 00000000 00000000 82000000 07040000 01000000 72250000 64000000 05000000 01000000 02000000 00000000',
    {
      kind: 'response',
      bindings: [{ name: oid('1.3.6.1.4.1.9586.100.5.1.2.0'), value: { type: 'endOfMibView' } }],
    },
  ],
  [
    'a value to be set',
    '01080800 06000000 06000000 07000000 34000000 00000000 02000000 09040000 01000000 72250000 64000000 05000000 02000000 03000000 01000000 07000000 01000000 96000000',
    {
      kind: 'testSet',
      bindings: [
        {
          name: oid('1.3.6.1.4.1.9586.100.5.2.3.1.7.1'),
          value: { type: 'integer', value: 150 },
        },
      ],
    },
  ],
  [
    'the end of a session',
    '01020000 06000000 00000000 e1b2645a 04000000 05000000',
    { kind: 'close', reason: 5 },
  ],
]

test('packets between net-snmp’s library and snmpd', () => {
  for (const [what, hex, expected] of seen) {
    const decoded = decodeAgentx(fromHex(hex))
    assert.ok(decoded.ok, `${what}: ${decoded.ok ? '' : decoded.why}`)
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(decoded.value[field as keyof AgentxPdu], value, `${what}: ${field}`)
  }
})

test('what is written: network byte order, prefixes shortened', () => {
  const head = { session: 7, transaction: 8, packet: 9, context: null }
  const hex = (body: AgentxBody) => toHex(encodeAgentx({ ...head, ...body }))
  const start = '000000070000000800000009'
  assert.equal(hex({ kind: 'ping' }), `010d1000${start}00000000`)
  assert.equal(
    hex({
      ...{ kind: 'open', timeoutSeconds: 5, id: oid('1.3.6.1.4.1') },
      description: new TextEncoder().encode('vipd'),
    }),
    `01011000${start}00000014${'05000000'}${'01040000'}00000001${'00000004'}76697064`,
  )
  assert.equal(
    hex({ kind: 'register', timeoutSeconds: 5, priority: 127, subtree: oid('1.3.6.1.2.1.68') }),
    `01031000${start}00000010${'057f0000'}${'02020000'}0000000100000044`,
  )
  assert.equal(
    hex({
      ...{ kind: 'response', sysUpTime: 0, error: 17, index: 1 },
      bindings: [{ name: oid('1.2'), value: { type: 'integer', value: -2 } }],
    }),
    `01121000${start}0000001c${'00000000'}00110001${'00020000'}${'02000000'}0000000100000002${'fffffffe'}`,
  )
})

const record = <T>(parts: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(parts, { noNullPrototype: true })
const name = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 20 })
const internet = name.map((rest) => [1, 3, 6, 1, ...rest])
const anyOid = fc.oneof(name, internet, fc.constant(oid('1.3.6.1.4.1.9586.100.5.2.3.1.4.17')))
const word = fc.integer({ min: 0, max: 0xffff_ffff })
const octets = fc.uint8Array({ maxLength: 40 })
const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.integer().map((value): Value => ({ type: 'integer', value })),
  fc
    .tuple(fc.constantFrom('counter32', 'gauge32', 'timeTicks'), word)
    .map(([type, value]): Value => ({ type, value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Value => ({ type: 'counter64', value })),
  fc
    .tuple(fc.constantFrom('octets', 'opaque'), octets)
    .map(([type, value]): Value => ({ type, value })),
  fc
    .uint8Array({ minLength: 4, maxLength: 4 })
    .map((value): Value => ({ type: 'ipAddress', value })),
  anyOid.map((value): Value => ({ type: 'oid', value })),
  fc
    .constantFrom('null', 'noSuchObject', 'noSuchInstance', 'endOfMibView')
    .map((type): Value => ({ type })),
)
const bindings: fc.Arbitrary<readonly Binding[]> = fc.array(
  record({ name: anyOid, value: anyValue }),
  { maxLength: 6 },
)
const ranges = fc.array(record({ start: anyOid, include: fc.boolean(), end: anyOid }), {
  maxLength: 6,
})
const byte = fc.integer({ min: 0, max: 255 })
const short = fc.integer({ min: 0, max: 65_535 })
const kind = <K extends AgentxBody['kind']>(it: K) => fc.constant(it)
const body: fc.Arbitrary<AgentxBody> = fc.oneof(
  record({ kind: kind('open'), timeoutSeconds: byte, id: anyOid, description: octets }),
  record({ kind: kind('close'), reason: byte }),
  record({ kind: kind('register'), timeoutSeconds: byte, priority: byte, subtree: anyOid }),
  record({ kind: fc.constantFrom('get' as const, 'getNext' as const), ranges }),
  record({ kind: kind('getBulk'), nonRepeaters: short, maxRepetitions: short, ranges }),
  record({ kind: fc.constantFrom('testSet' as const, 'notify' as const), bindings }),
  record({
    kind: fc.constantFrom(
      'commitSet' as const,
      'undoSet' as const,
      'cleanupSet' as const,
      'ping' as const,
    ),
  }),
  record({ kind: kind('response'), sysUpTime: word, error: short, index: short, bindings }),
)
const head = record({
  session: word,
  transaction: word,
  packet: word,
  context: fc.option(octets),
})
const pdus: fc.Arbitrary<AgentxPdu> = fc.tuple(head, body).map(([h, b]) => ({ ...h, ...b }))

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(pdus, (pdu) => {
      const bytes = encodeAgentx(pdu)
      assert.equal(bytes.length % 4, 0)
      assert.deepEqual(decodeAgentx(bytes), { ok: true, value: pdu })
    }),
    { numRuns },
  )
})

test('any octets, and good ones that are damaged, are read or refused by name', () => {
  const damaged = fc
    .tuple(pdus, fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 }), fc.nat())
    .map(([pdu, changes, cut]) => {
      const out = encodeAgentx(pdu)
      for (const [at, value] of changes) out[at % out.length] = value
      return cut % 3 === 0 ? out.slice(0, cut % (out.length + 1)) : out
    })
  const any = fc.uint8Array({ maxLength: 200 }).map((tail) => {
    const whole = concatBytes([fromHex('01051000 00000000 00000000 00000000 00000000'), tail])
    new DataView(whole.buffer).setUint32(16, tail.length)
    return whole
  })
  fc.assert(
    fc.property(fc.oneof(damaged, any, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      const decoded = decodeAgentx(bytes)
      if (!decoded.ok) assert.match(decoded.why, /^[a-z-]+$/)
    }),
    { numRuns: 3 * numRuns },
  )
})

test('what is refused, by name', () => {
  const why = (hex: string) => {
    const decoded = decodeAgentx(fromHex(hex))
    return decoded.ok ? 'none' : decoded.why
  }
  const head = '00000000 00000000 00000000'
  assert.equal(why('01051000'), 'too-short')
  assert.equal(why(`02051000 ${head} 00000000`), 'bad-version')
  assert.equal(why(`01631000 ${head} 00000000`), 'bad-type')
  assert.equal(why(`01051000 ${head} 00000004`), 'bad-length')
  assert.equal(why(`01051000 ${head} 00000002 0000`), 'bad-length')
  assert.equal(why(`01051000 ${head} 00000004 05000000`), 'cut-off')
  assert.equal(why(`01051000 ${head} 00000004 ff040000`), 'bad-oid')
  assert.equal(why(`010d1000 ${head} 00000004 00000000`), 'left-over')
  assert.equal(why(`010c1000 ${head} 00000008 00630000 00000000`), 'bad-value')
  assert.equal(why(`010c1000 ${head} 0000000c 00400000 00000000 00000000`), 'bad-value')
})

test('a stream is cut into packets wherever it is cut itself', () => {
  const streams = fc.tuple(fc.array(pdus, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }))
  fc.assert(
    fc.property(streams, ([sent, cuts]) => {
      const all = concatBytes(sent.map(encodeAgentx))
      const at = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b)
      const frames = new AgentxFrames()
      const heard: AgentxPdu[] = []
      for (const [i, from] of [0, ...at].entries()) {
        const taken = frames.take(all.subarray(from, at[i] ?? all.length))
        assert.ok(taken.ok)
        for (const octets of taken.value) {
          const decoded = decodeAgentx(octets)
          assert.ok(decoded.ok)
          heard.push(decoded.value)
        }
      }
      assert.deepEqual(heard, sent)
    }),
    { numRuns: Math.ceil(numRuns / 4) },
  )
})

test('a stream of something else ends: another version, a packet beyond all measure', () => {
  const take = (hex: string) => new AgentxFrames().take(fromHex(hex))
  const head = '00000000 00000000 00000000'
  assert.deepEqual(take(`48545450 ${head} 00000000`), { ok: false, why: 'bad-version' })
  const tooLong = (agentxPayloadMax + 4).toString(16).padStart(8, '0')
  assert.deepEqual(take(`01051000 ${head} ${tooLong}`), { ok: false, why: 'too-long' })
})

test('object identifiers: their order is that of a walk', () => {
  const names = ['1.3', '1.3.6', '1.3.6.1', '1.3.6.1.0', '1.3.6.2', '1.3.10', '1.4'].map(oid)
  assert.deepEqual([...names].reverse().sort(compareOids).map(oidText), names.map(oidText))
  assert.equal(compareOids(oid('1.3.6'), oid('1.3.6')), 0)
  assert.equal(isWithin(oid('1.3.6.1'), oid('1.3.6')), true)
  assert.equal(isWithin(oid('1.3.6'), oid('1.3.6')), true)
  assert.equal(isWithin(oid('1.3'), oid('1.3.6')), false)
  assert.equal(isWithin(oid('1.3.61'), oid('1.3.6')), false)
})
