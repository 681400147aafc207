import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { type BfdReject, bfdStates, decodeBfd, encodeBfd } from '../../../src/wire/bfd.ts'
import { fc } from '../../property.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const packets = fc
  .record({
    state: fc.constantFrom(...bfdStates),
    diagnostic: fc.integer({ min: 0, max: 31 }),
    flag: fc.constantFrom('poll', 'final', null),
    demand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    desiredMinTxUs: u32.map(us),
    requiredMinRxUs: u32.map(us),
  })
  .map(({ flag, ...rest }) => ({ ...rest, poll: flag === 'poll', final: flag === 'final' }))

test('what is encoded is decoded again, with octets behind it too', () => {
  fc.assert(
    fc.property(packets, fc.uint8Array({ maxLength: 40 }), (packet, behind) => {
      const bytes = Uint8Array.from([...encodeBfd(packet), ...behind])
      assert.deepEqual(decodeBfd(bytes), { ok: true, value: packet })
    }),
  )
})

test('packets of BIRD 2.0.12 and FRR 8.4', () => {
  const of = (text: string) => decodeBfd(Buffer.from(text, 'hex'))
  const frr = of('208004185570b512c94f7b1a000f4240000f42400000c350')
  assert.ok(frr.ok)
  assert.deepEqual(
    [frr.value.state, frr.value.multiplier, frr.value.requiredMinRxUs],
    ['Init', 4, 1_000_000],
  )
})

test('each reason to discard', () => {
  const good = '20c00318d7ab1c346c731f310000c3500000c35000000000'
  const cases: readonly (readonly [BfdReject, string])[] = [
    ['too-short', good.slice(0, 46)],
    ['bad-version', `40${good.slice(2)}`],
    ['bad-length', `${good.slice(0, 6)}17${good.slice(8)}`],
    ['bad-length', `${good.slice(0, 6)}19${good.slice(8)}`],
    ['zero-multiplier', `${good.slice(0, 4)}00${good.slice(6)}`],
    ['multipoint', `20c1${good.slice(4)}`],
    ['authenticated', `20c4${good.slice(4)}`],
    ['zero-discriminator', `${good.slice(0, 8)}00000000${good.slice(16)}`],
    ['no-discriminator', `${good.slice(0, 16)}00000000${good.slice(24)}`],
  ]
  for (const [why, text] of cases)
    assert.deepEqual(decodeBfd(Buffer.from(text, 'hex')), { ok: false, why }, text)
})
