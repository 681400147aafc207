import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { us } from '../../../src/base/time.ts'
import { OtherTransport, type Participant } from '../../../src/router/binding/other-transport.ts'
import { readIncoming } from '../../../src/wire/incoming.ts'
import { lookOnce } from './look-once.ts'

const ip = (text: string) => text as Ip
const multicast: Participant = {
  slot: 1,
  name: 'VI_1',
  family: 4,
  vrid: 51,
  ifindex: 2,
  interface: 'eth0',
  advertIntervalUs: us(1_000_000),
  peers: null,
  ah: false,
  source: ip('10.0.0.1'),
  since: us(0),
}
const unicast: Participant = { ...multicast, peers: [ip('10.0.0.2')] }

const packet = (to: 'group' | 'us', from = 2, vrid = 51): Uint8Array => {
  const bytes = new Uint8Array(64)
  bytes.set([0x45], 0)
  bytes.set([112], 9)
  bytes.set([10, 0, 0, from], 12)
  bytes.set(to === 'group' ? [224, 0, 0, 18] : [10, 0, 0, 1], 16)
  bytes.set([0x31, vrid], 20)
  return bytes
}

const behindAh = (plain: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(64)
  bytes.set(plain.subarray(0, 20))
  bytes.set([51], 9)
  bytes.set([112, 4], 20)
  bytes.set(plain.subarray(20, 40), 44)
  return bytes
}

test('what an advert on its way in says of itself', () => {
  const six = new Uint8Array(64)
  six.set([0x60], 0)
  six.set([112], 6)
  six.set([0xfe, 0x80], 8)
  six.set([2], 23)
  six.set([0xff, 0x02], 24)
  six.set([0x31, 7], 40)
  const four = { family: 4, vrid: 51, from: '10.0.0.2', ah: false }
  assert.deepEqual(readIncoming(packet('group')), { ...four, by: 'multicast' })
  assert.deepEqual(readIncoming(packet('us')), { ...four, by: 'unicast' })
  const group = { by: 'multicast', ah: false } as const
  assert.deepEqual(readIncoming(six), { family: 6, vrid: 7, from: 'fe80::2', ...group })
  assert.deepEqual(readIncoming(behindAh(packet('us'))), { ...four, by: 'unicast', ah: true })
  assert.equal(readIncoming(behindAh(packet('us')).subarray(0, 45)), null)
  for (const bytes of [new Uint8Array(0), packet('us').subarray(0, 21), six.subarray(0, 41)])
    assert.equal(readIncoming(bytes), null)
})

/** Warnings after one look in which these packets arrive. */
async function looked(participants: readonly Participant[], arriving: readonly Uint8Array[]) {
  let waiting = [...arriving]
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const watch = new OtherTransport({
    sockets: {
      open: () => 3,
      read: () => waiting.splice(0),
      close: () => {
        waiting = []
      },
    },
    log: { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() },
    participants: () => participants,
  })
  await lookOnce(watch.looks)
  assert.equal(lines.length, watch.looks.findings.length)
  return watch.looks.findings
}

test('a multicast leader names who sends to it by unicast; its own way is none of this', async () => {
  const [warning] = await looked([multicast], [packet('group'), packet('us', 3)])
  assert.match(warning ?? '', /VI_1 is MASTER, but 10\.0\.0\.3 sends .* by unicast on eth0/)
  assert.deepEqual(await looked([multicast], [packet('group'), packet('us', 3, 52)]), [])
})

test('a unicast leader names the peer that sends to the group, and no other router', async () => {
  const [warning] = await looked([unicast], [packet('group')])
  assert.match(
    warning ?? '',
    /10\.0\.0\.2 sends .* by multicast on eth0, and this instance is unicast/,
  )
  assert.deepEqual(await looked([unicast], [packet('group', 9), packet('us')]), [])
})

test('what another instance here hears is not unheard, and a backup is not looked at', async () => {
  const other = { ...unicast, slot: 2, name: 'VI_2', since: null }
  assert.deepEqual(await looked([multicast, other], [packet('us')]), [])
  assert.deepEqual(await looked([{ ...multicast, since: null }], [packet('us')]), [])
})

test('who sends with an authentication header is named where there is none, and the other way round', async () => {
  const words = /without an authentication header|with an authentication header/
  const behind = behindAh(packet('group'))
  const [warning] = await looked([multicast], [behind])
  assert.match(
    warning ?? '',
    /10\.0\.0\.2 sends .* with an authentication header on eth0, and this instance is without/,
  )
  const signed = { ...multicast, ah: true }
  assert.match((await looked([signed], [packet('group')]))[0] ?? '', words)
  assert.match((await looked([{ ...unicast, ah: true }], [packet('us')]))[0] ?? '', words)
  assert.deepEqual(await looked([signed], [behind]), [])
})

test('a flood of adverts ends the look', async () => {
  const flood = Array.from({ length: 5_000 }, () => packet('us'))
  assert.equal((await looked([multicast], flood)).length, 1)
})
