/** Adverts on their way out that this daemon has not sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { type Leader, SameHost } from '../../../src/router/binding/same-host.ts'
import { outgoingVrid } from '../../../src/wire/outgoing.ts'
import { lookOnce } from './look-once.ts'

const leader: Leader = {
  slot: 1,
  name: 'VI_1',
  family: 4,
  vrid: 51,
  interface: 'eth0',
  ifindex: 2,
  advertIntervalUs: us(1_000_000),
  since: us(0),
}

/** An IPv4 packet with options between header and advert, as it leaves. */
const four = (vrid: number, group = 224): Uint8Array => {
  const packet = new Uint8Array(64)
  packet.set([0x46], 0)
  packet.set([112], 9)
  packet.set([group, 0, 0, 18], 16)
  packet.set([0x31, vrid], 24)
  return packet
}

test('family and VRID of what goes to a group; anything else is none', () => {
  const six = new Uint8Array(64)
  six.set([0x60], 0)
  six.set([112], 6)
  six.set([0xff, 0x02], 24)
  six.set([0x31, 7], 40)
  const other = four(51)
  other.set([17], 9)
  const packets = [four(51), four(51, 10), six, other, new Uint8Array(0), six.subarray(0, 30)]
  assert.deepEqual(packets.map(outgoingVrid), ['4 51', null, '6 7', null, null, null])
})

/** One look in which `seen` adverts go out, of which the engine counts `sent`. */
async function looked(seen: readonly number[], sent: number): Promise<readonly string[]> {
  let counted = 10
  let waiting = seen.map((vrid) => four(vrid))
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const sameHost = new SameHost({
    sockets: {
      open: () => 3,
      read: () => waiting.splice(0),
      close: () => {
        waiting = []
      },
    },
    log: { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() },
    leaders: () => [leader],
    sent: () => counted,
    counted: () => {
      counted += sent
      return Promise.resolve()
    },
  })
  await lookOnce(sameHost.looks)
  assert.equal(lines.length, sameHost.looks.findings.length)
  return sameHost.looks.findings
}

test('as many as were sent are ours, one more may be; from two on they are of another program', async () => {
  const all = (count: number) => Array.from({ length: count }, () => 51)
  assert.deepEqual(await looked(all(5), 5), [])
  assert.deepEqual(await looked(all(6), 5), [])
  assert.deepEqual(await looked([...all(5), 52, 52, 52], 5), [])
  assert.deepEqual(await looked(all(7), 5), [
    'VI_1 is MASTER, but another program on this host sends adverts of VRID 51 on eth0: two masters that do not hear each other',
  ])
})

test('an instance that goes while another interface is looked at is looked at no more', async () => {
  let leaders: readonly Leader[] = [leader, { ...leader, slot: 2, name: 'VI_2', ifindex: 3 }]
  const opened: number[] = []
  const say = () => undefined
  const sameHost = new SameHost({
    sockets: {
      open: (ifindex) => {
        opened.push(ifindex)
        return 3
      },
      read: () => {
        // A reload takes it out, or its link goes down: the engine knows its slot no more.
        leaders = [leader]
        return []
      },
      close: () => undefined,
    },
    log: { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() },
    leaders: () => leaders,
    sent: (slot) => {
      if (!leaders.some((it) => it.slot === slot)) throw new Error('no such slot')
      return 0
    },
    counted: () => Promise.resolve(),
  })
  await lookOnce(sameHost.looks)
  assert.deepEqual(opened, [2])
})
