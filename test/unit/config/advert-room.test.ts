/** How many addresses an advert takes, by the interface's MTU: the figures are keepalived 2.2.7's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advertRoom } from '../../../src/config/build/advert-room.ts'
import { check, instanceText, only } from './reading.ts'

const figures = [
  [4, 2, 1500, 255], [4, 2, 600, 137], [4, 2, 576, 131], [4, 2, 200, 37],
  [4, 3, 9000, 255], [4, 3, 600, 139], [4, 3, 576, 133], [4, 3, 200, 39],
  [6, 3, 9000, 255], [6, 3, 1500, 89], [6, 3, 1400, 83], [6, 3, 1280, 76],
] as const // biome-ignore format: a table

for (const [family, version, mtu, room] of figures)
  test(`version ${version}, IPv${family}, MTU ${mtu} → ${room}`, () => {
    assert.equal(advertRoom({ family, version, hmac: null, ahKey: null }, mtu), room)
  })

test('the MTU of the interface counts where it is there, and 1500 where it is not', () => {
  const vips = Array.from({ length: 90 }, (_, i) => `fd00::${i + 1}/64`).join('\n')
  const counts = (mtus: Record<string, number>) => {
    const report = check(instanceText('version 3', vips), { mtus })
    const { addresses, excluded } = only(report)
    const said = report.diagnostics.find(({ code }) => code === 'too-many-addresses')
    return [addresses.length, excluded.length, said?.message.includes('(MTU')]
  }
  assert.deepEqual(counts({}), [89, 1, false])
  assert.deepEqual(counts({ eth0: 1280 }), [76, 14, true])
  assert.deepEqual(counts({ eth0: 9000 }), [90, 0, undefined])
})
