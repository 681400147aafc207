/** What another program makes of an address of ours that stands, told from what time makes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KernelAddress } from '../../../src/kernel/address-table.ts'
import { Kernel } from '../../../src/kernel/mirror.ts'
import { isAltered } from '../../../src/router/binding/altered-address.ts'
import { routeKernelChanges } from '../../../src/router/dispatch/kernel-changes.ts'
import { encodeAddressReplace } from '../../../src/wire/rtnetlink-address.ts'
import { ip, virtualAddress } from './facts.ts'

type Terms = Parameters<typeof isAltered>[2]
const terms = (
  valid: number | null,
  preferred: number | null,
  more: Partial<Terms> = {},
): Terms => ({
  validSeconds: valid,
  preferredSeconds: preferred,
  noprefixroute: false,
  unmarked: false,
  ...more,
})
const four = virtualAddress('192.0.2.1')
const six = virtualAddress('fd00::1')
const preferred = (preferredSeconds: number) => ({ ...four, preferredSeconds })

test('as vipd set it, or as time has made it since', () => {
  for (const [what, wanted, lifetime, told] of [
    ['just set', four, 60, terms(60, 60)],
    ['told half a renewal later', four, 60, terms(50, 50)],
    ['renewed late', four, 60, terms(21, 21)],
    ['cut to whole seconds', four, 60, terms(45, 44)],
    ['for ever', four, null, terms(null, null)],
    ['not preferred', preferred(0), 60, terms(60, 0)],
    ['preferred for a while', preferred(30), 60, terms(45, 15)],
    ['no longer preferred', preferred(10), 60, terms(45, 0)],
    ['preferred for a while, there for ever', preferred(30), null, terms(null, 3)],
    ['flags of IPv4 stay as they were', four, 60, terms(60, 60, { noprefixroute: true })],
  ] as const)
    assert.equal(isAltered(wanted, lifetime, told), false, what)
})

test('as another program has altered it', () => {
  for (const [what, wanted, lifetime, told] of [
    ['it will end', four, null, terms(5, 5)],
    ['it ends before it is renewed', four, 60, terms(5, 5)],
    ['it never ends', four, 60, terms(null, null)],
    ['it ends too late', four, 60, terms(3600, 3600)],
    ['not preferred any more', four, 60, terms(60, 0)],
    ['not preferred any more, for ever', four, null, terms(null, 0)],
    ['preferred', preferred(0), 60, terms(60, 60)],
    ['preferred for too short', preferred(30), 60, terms(45, 3)],
    ['without the mark', four, 60, terms(60, 60, { unmarked: true })],
    ['flags of IPv6', six, 60, terms(60, 60, { noprefixroute: true })],
  ] as const)
    assert.equal(isAltered(wanted, lifetime, told), true, what)
})

test('the mirror tells of ours alone, and not of the first time', () => {
  const spec = {
    ...four,
    address: ip('192.0.2.1'),
    ifindex: 3,
    peer: null,
    validSeconds: 60,
    preferredSeconds: null,
  }
  const kinds = (kernel: Kernel, seconds: number) =>
    kernel.apply(encodeAddressReplace({ ...spec, validSeconds: seconds })).map(({ kind }) => kind)
  const kernel = new Kernel()
  assert.deepEqual(kinds(kernel, 60), ['address'])
  assert.deepEqual(kinds(kernel, 5), ['address-altered'])
  const others = new Kernel(() => false)
  assert.deepEqual(kinds(others, 60), ['address'])
  assert.deepEqual(kinds(others, 5), [])
})

test('only the instances that have the address are asked about it, however many there are', () => {
  const asked: string[] = []
  const instance = (name: string, address: string) => ({
    has: (one: string) => one === address,
    keeper: {
      acceptsAddress: () => {
        asked.push(name)
        return true
      },
    },
  })
  const instances = [instance('VI_1', '192.0.2.1'), instance('VI_2', '192.0.2.2')]
  const held = {
    ...{ ifindex: 2, address: ip('192.0.2.2'), prefixLength: 32, peer: null, protocol: 18 },
    ...{ secondary: false, tentative: false, duplicate: false, ours: true, again: null },
  } satisfies KernelAddress
  const to = { roster: { instances } } as unknown as Parameters<typeof routeKernelChanges>[1]
  routeKernelChanges([{ kind: 'address-altered', held, terms: { ...terms(8, 8) } }], to)
  assert.deepEqual(asked, ['VI_2'])
})
