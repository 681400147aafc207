/** The forwarding of an interface, from the kernel's messages to the router flag of what is announced. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '../../../src/base/bytes.ts'
import { OpError } from '../../../src/base/errors.ts'
import { us } from '../../../src/base/time.ts'
import { planAnnounceSource } from '../../../src/engine/plans.ts'
import { planRestore } from '../../../src/engine/plans-addresses.ts'
import { dumpRequests, Kernel, missingDump } from '../../../src/kernel/mirror.ts'
import { slotFacts } from '../../../src/router/binding/slot-facts.ts'
import { decodeNa } from '../../../src/wire/ndp.ts'
import { encodeAttribute, encodeMessage, splitMessages, u32 } from '../../../src/wire/netlink.ts'
import { instance, ip, kernelOf, link, virtualAddress } from './facts.ts'

const netconf = (ifindex: number, forwarding: number, type = 80): Uint8Array =>
  encodeMessage(
    type,
    0,
    concatBytes([
      Uint8Array.of(10, 0, 0, 0),
      encodeAttribute(1, u32(ifindex)),
      encodeAttribute(2, u32(forwarding)),
    ]),
  )

test('the mirror follows each interface, and forgets the one that goes', () => {
  const kernel = new Kernel()
  assert.equal(kernel.forwardsIpv6(3), false)
  assert.deepEqual(kernel.apply(netconf(3, 1)), [{ kind: 'forwarding', ifindex: 3 }])
  assert.deepEqual(kernel.apply(netconf(3, 1)), [], 'nothing new')
  assert.deepEqual([kernel.forwardsIpv6(3), kernel.forwardsIpv6(4)], [true, false])
  assert.deepEqual(kernel.apply(netconf(3, 0, 81)), [{ kind: 'forwarding', ifindex: 3 }])
  assert.equal(kernel.forwardsIpv6(3), false)
})

test('garp_extra_if: interfaces other than the instance’s; without all those with a virtual MAC address', () => {
  const others = [virtualAddress('10.0.0.1'), virtualAddress('10.7.0.1', { interface: 'eth1' })]
  const on = (extraAll: boolean, mac: readonly number[], extraEveryUs = us(1)) => {
    const cfg = instance({ interface: 'eth0', addresses: others })
    const garp = { ...cfg.garp, extraEveryUs, extraAll }
    const eth0 = link(3, 'eth0')
    const links = [eth0, link(4, 'eth1', { mac: Uint8Array.from(mac) })]
    return slotFacts({ ...cfg, garp }, eth0, kernelOf(links, []), 1, ip('10.0.0.9'), null).extra.on
  }
  const usual = [2, 0, 0, 0, 0, 4]
  assert.deepEqual(on(true, usual), [4])
  assert.deepEqual(on(false, usual), [])
  assert.deepEqual(on(false, [0, 0, 0x5e, 0, 1, 80]), [4])
  assert.deepEqual(on(false, [0, 0, 0x5e, 0, 3, 80]), [])
  assert.deepEqual(on(true, usual, us(0)), [])
})

test('dumps are compared with what was known; a kernel without IPv6 has none', () => {
  const kernel = new Kernel()
  const dumps = (netconfs: Uint8Array | null): readonly Uint8Array[] =>
    dumpRequests().map((request) => {
      if (splitMessages(request).messages[0]?.type !== 82) return new Uint8Array(0)
      const dump = netconfs ?? missingDump(request, new OpError('rtnetlink', 'EOPNOTSUPP'))
      if (dump instanceof OpError) throw dump
      return dump
    })
  const both = concatBytes([netconf(3, 1), netconf(4, 0)])
  assert.deepEqual(kernel.replace(dumps(both)), [{ kind: 'forwarding', ifindex: 3 }])
  assert.deepEqual(kernel.replace(dumps(both)), [])
  assert.deepEqual(kernel.replace(dumps(null)), [{ kind: 'forwarding', ifindex: 3 }])
})

test('the router flag is that of the interface that the address goes on', () => {
  const eth0 = link(3, 'eth0')
  const kernel = kernelOf([eth0, link(4, 'eth1')], [], [4])
  const addresses = [
    virtualAddress('fe80::64'),
    virtualAddress('fe80::65', { interface: 'eth1' }),
    virtualAddress('172.16.80.100', { interface: 'eth1' }),
  ]
  const six = instance({ family: 6, version: 3, addresses })
  const routers = (forwarding: readonly number[]) => {
    const view = kernelOf([eth0, link(4, 'eth1')], [], forwarding)
    const facts = slotFacts(six, eth0, view, 1, ip('fe80::1'), null)
    const flags = facts.addresses.slice(0, 2).map((a) => {
      const frame = planRestore(facts, a).find((step) => step.kind === 'frame')
      const na = decodeNa(frame?.bytes ?? new Uint8Array(0))
      return na.ok && na.value.router
    })
    const [own] = planAnnounceSource(facts, eth0)
    const na = decodeNa(own?.kind === 'frame' ? own.bytes : new Uint8Array(0))
    return [...flags, na.ok && na.value.router]
  }
  assert.deepEqual(routers([]), [false, false, false])
  assert.deepEqual(routers([4]), [false, true, false])
  assert.deepEqual(routers([3]), [true, false, true])
  const facts = slotFacts(six, eth0, kernel, 1, ip('fe80::1'), null)
  assert.equal(facts.addresses[2]?.router, false, 'IPv4 has no such flag: nothing to announce anew')
})
