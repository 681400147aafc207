/** What a gap is beside keepalived: announcements of all instances on an interface, or on those of a garp_group. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startDaemon } from '../../src/lab/serving.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { inLab } from './pair.ts'

const soonMs = 60_000
/** Kernel time stamps of a busy machine: a frame is seen a moment after it left. */
const stampMs = 40
const gapMs = 150

const instance = (
  vrid: number,
  addresses: readonly string[],
  delay = 0,
) => `vrrp_instance VI_${vrid} {
  interface eth0
  virtual_router_id ${vrid}
  priority 255
  advert_int 1
  garp_master_repeat 2
  garp_master_delay ${delay}
  virtual_ipaddress {
    ${addresses.join('\n    ')}
  }
}
`

const four = [
  '172.16.80.101',
  '172.16.80.102',
  '172.16.81.111/24 dev eth1',
  '172.16.81.112/24 dev eth1',
]
const six = ['fd00:80::31/64', 'fd00:80::32/64']
const group = `garp_group {
  garp_interval ${gapMs / 1_000}
  gna_interval ${gapMs / 2_000}
  interfaces {
    eth0
    eth1
  }
}
`
const globals = `global_defs {
  vrrp_garp_interval ${gapMs / 1_000}
  vrrp_gna_interval ${gapMs / 2_000}
}
`
const instances = [
  instance(1, four),
  instance(2, ['172.16.80.201', '172.16.80.202']),
  instance(3, six).replace('virtual_ipaddress', 'native_ipv6\n  virtual_ipaddress'),
].join('')

const ports = { eth0: ['172.16.80.1/24', 'fd00:80::1/64'], eth1: ['172.16.81.1/24'] }

type Seen = { readonly atMs: number; readonly what: string; readonly on: string }

const seenBy = (capture: Capture, on: string): readonly Seen[] =>
  capture.frames.items.flatMap((it): readonly Seen[] => {
    const own = (it.kind === 'arp' && it.gratuitous) || it.kind === 'na'
    return own ? [{ atMs: it.atMs, what: it.kind === 'arp' ? it.sender : it.target, on }] : []
  })

async function listen(lab: Lab) {
  const filter = 'arp or icmp6 or ip proto 112'
  const eth0 = await lab.capture({ filter })
  const eth1 = await lab.capture({ segment: 'eth1', filter })
  return {
    eth0,
    seen: () => [...seenBy(eth0, 'eth0'), ...seenBy(eth1, 'eth1')].sort((a, b) => a.atMs - b.atMs),
  }
}

const isVirtual = ({ what }: Seen): boolean => /\.(1|2)\d\d$|::3\d$/.test(what)

/** The least distance of what shares a pace. */
function least(seen: readonly Seen[], paceOf: (one: Seen) => string): number {
  const last = new Map<string, number>()
  let shortest = Number.POSITIVE_INFINITY
  for (const one of seen) {
    const before = last.get(paceOf(one))
    if (before !== undefined) shortest = Math.min(shortest, one.atMs - before)
    last.set(paceOf(one), one.atMs)
  }
  return shortest
}

const family = ({ what }: Seen): string => (what.includes(':') ? '6' : '4')

describe('gaps between announcements', { concurrency: 4 }, () => {
  for (const kind of ['vipd', 'keepalived'] as const satisfies readonly DaemonKind[])
    for (const [name, text, paceOf] of [
      ['an interface', globals, (it: Seen) => `${family(it)} ${it.on}`],
      ['a garp_group', group, family],
    ] as const)
      test(`${kind}: all instances on ${name}`, () =>
        inLab(`gap-${kind}`, async (lab) => {
          const host = await lab.host('one', { addresses: ports })
          const wire = await listen(lab)
          const daemon = startDaemon(kind, host, text + instances)
          await daemon.reaches('VI_3', 'MASTER', soonMs)
          const wanted = [...four.map((it) => it.split('/')[0]), '172.16.80.201', '172.16.80.202']
          const all = new Set([...wanted, 'fd00:80::31', 'fd00:80::32'])
          const told = () => wire.seen().filter(isVirtual)
          const missing = () => all.size - new Set(told().map(({ what }) => what)).size
          await wire.eth0.frames.next('the last address', soonMs, () => missing() === 0)
          const fours = told().filter((it) => family(it) === '4')
          const sixes = told().filter((it) => family(it) === '6')
          const apart = least(fours, paceOf)
          assert.ok(apart > gapMs - stampMs, `ARP frames ${apart} ms apart`)
          const apart6 = least(sixes, paceOf)
          assert.ok(apart6 > gapMs / 2 - stampMs, `NAs ${apart6} ms apart`)
        }))

  test('what waits is dropped: of an address that a reload takes away, and at the stop', () =>
    inLab('gap-drop', async (lab) => {
      const host = await lab.host('one', { addresses: ports })
      const wire = await listen(lab)
      const slow = 'global_defs {\n  vrrp_garp_interval 0.5\n}\n'
      const own = Array.from({ length: 9 }, (_, i) => `172.16.80.10${i + 1}`)
      const daemon = startVipd(host, slow + instance(1, own))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const announced = (what: string) => wire.seen().some((it) => it.what === what)
      await wire.eth0.frames.next('the second', soonMs, () => announced('172.16.80.102'))
      daemon.configure(slow + instance(1, own.slice(0, 5)))
      await daemon.reload()
      const at = wire.eth0.mark
      await wire.eth0.frames.next('the fifth', soonMs, () => announced('172.16.80.105'))
      await daemon.stop()
      await wire.eth0.advert('the resignation', soonMs, ({ priority }) => priority === 0, at)
      // Longer than the gap: what still waited would come.
      const later = wire.seen().length
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      assert.equal(wire.seen().length, later, 'announced after the stop')
      for (const gone of own.slice(5)) assert.ok(!announced(gone), `${gone} was announced`)
    }))
})
