/** Which announcements of an instance share a pace. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { GarpGroup } from '../../../src/config/announcements.ts'
import { paceFacts } from '../../../src/router/binding/paces.ts'
import { instance, kernelOf, link, virtualAddress } from './facts.ts'

function paces(arp: number, na: number, garpGroups: readonly GarpGroup[] = []): readonly string[] {
  const addresses = [virtualAddress('10.0.0.1'), virtualAddress('10.7.0.1', { interface: 'eth1' })]
  const cfg = instance({ interface: 'eth0', addresses, garpGroups })
  const garp = { ...cfg.garp, arpIntervalUs: us(arp), naIntervalUs: us(na) }
  const links = [link(3, 'eth0'), link(4, 'eth1'), link(5, 'eth2')]
  return paceFacts({ ...cfg, garp }, link(3, 'eth0'), kernelOf(links, [])).map(
    ({ ifindex, family, pace }) => `${ifindex}/${family}: ${pace.key}, ${pace.gapUs}`,
  )
}

const group = (arp: number, na: number, ...interfaces: string[]): GarpGroup => ({
  arpIntervalUs: us(arp),
  naIntervalUs: us(na),
  interfaces,
})

test('an interface by itself, each family; without a gap nothing is paced', () => {
  assert.deepEqual(paces(0, 0), [])
  assert.deepEqual(paces(50_000, 0), ['3/4: 4 3, 50000', '4/4: 4 4, 50000'])
  assert.deepEqual(paces(0, 20_000), ['3/6: 6 3, 20000', '4/6: 6 4, 20000'])
})

test('a group: one pace for its interfaces, and the keywords of global_defs are not for them', () => {
  assert.deepEqual(paces(1_000, 1_000, [group(50_000, 0, 'eth0', 'eth1')]), [
    '3/4: 4 eth0 eth1, 50000',
    '4/4: 4 eth0 eth1, 50000',
  ])
  assert.deepEqual(paces(1_000, 0, [group(0, 20_000, 'eth1')]), [
    '3/4: 4 3, 1000',
    '4/6: 6 eth1, 20000',
  ])
})

test('the shortest gap is one in which a real-time thread sleeps', () => {
  assert.deepEqual(paces(1, 0), ['3/4: 4 3, 100', '4/4: 4 4, 100'])
})
