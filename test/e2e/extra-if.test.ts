/** garp_extra_if beside keepalived: what is announced on interfaces on which no advert leaves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import { startDaemon } from '../../src/lab/serving.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000

const text = (n: number) =>
  conf({
    priority: 255,
    vip: `172.16.80.10${n}\n    172.16.81.11${n}/24 dev eth1\n    172.16.81.12${n}/24 dev eth1`,
    more: 'garp_master_repeat 1\n  garp_master_delay 0\n  garp_extra_if all 1',
  }).replace('virtual_router_id 51', `virtual_router_id ${n}`)

describe('garp_extra_if', { concurrency: 2 }, () => {
  for (const kind of ['vipd', 'keepalived'] as const satisfies readonly DaemonKind[])
    test(`${kind}: the first address of the other interface, once in each period`, () =>
      inLab(`extra-${kind}`, async (lab) => {
        const one = await lab.host('one', {
          addresses: { eth0: ['172.16.80.1/24'], eth1: ['172.16.81.1/24'] },
        })
        const there = await lab.capture({ segment: 'eth1', filter: 'arp' })
        const here = await lab.capture({ filter: 'arp' })
        const daemon = startDaemon(kind, one, text(1))
        await daemon.reaches('VI_1', 'MASTER', soonMs)
        const announced = (of: string) =>
          there.frames.items.filter((it) => it.kind === 'arp' && it.sender === of)
        const fourth = () => announced('172.16.81.111').length === 4
        await there.frames.next('the fourth announcement', soonMs, fourth)
        assert.equal(announced('172.16.81.121').length, 1, 'only when it took over')
        const times = announced('172.16.81.111').map(({ atMs }) => atMs)
        // One at the take-over; no two periods can lie closer than one.
        const spanMs = (times[3] ?? 0) - (times[1] ?? 0)
        assert.ok(spanMs > 1_500, `two periods took ${spanMs} ms`)
        const own = here.frames.items.filter(
          (it) => it.kind === 'arp' && it.sender === '172.16.80.101',
        )
        assert.equal(own.length, 1, 'adverts leave there')
      }))
})
