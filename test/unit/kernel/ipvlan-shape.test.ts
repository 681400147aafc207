/** What of an ipvlan of ours is not as it must be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpvlanLink } from '../../../src/base/virtual-link.ts'
import type { KernelAddress } from '../../../src/kernel/address-table.ts'
import { ipvlanIpv6, ipvlanLacks, modeClash } from '../../../src/kernel/ipvlan-shape.ts'
import { linkMark } from '../../../src/kernel/marks.ts'
import type { Ipv4Settings } from '../../../src/wire/rtnetlink-settings.ts'
import { address, ip, kernelOf, link } from '../router/facts.ts'

const wish: IpvlanLink = {
  kind: 'ipvlan',
  name: 'vrrp.51',
  base: 'eth0',
  mode: 'bridge',
  address: { address: ip('10.9.0.51'), prefixLength: 24 },
  group: null,
}
const layer2 = { mode: 0, flags: 0 }
const good = { kind: 'ipvlan', alias: linkMark, on: true, below: 3, ipvlan: layer2 }
const set: Ipv4Settings = {
  forwarding: 0,
  rp_filter: 2,
  arp_announce: 2,
  arp_ignore: 1,
  promote_secondaries: 0,
  accept_local: 0,
}

function lacks(
  more: Partial<ReturnType<typeof link>> = {},
  held: readonly KernelAddress[] = [address(5, '10.9.0.51', { ours: true })],
  settings: Ipv4Settings | null = set,
  master: number | null = null,
): readonly string[] {
  const own = link(5, 'vrrp.51', { ...good, ...more })
  const kernel = { ...kernelOf([link(3, 'eth0'), own], held), settingsOf: () => settings }
  return ipvlanLacks(wish, own, master, kernel).map(({ what }) => what)
}

test('as it must be, it lacks nothing; a link without IPv4 settings has none to be wrong', () => {
  assert.deepEqual(lacks(), [])
  assert.deepEqual(lacks({}, undefined, null), [])
})

test('a new one lacks all, in the order in which it is given: up before the address', () => {
  assert.deepEqual(lacks({ alias: null, on: false }, [], { ...set, rp_filter: 0 }), [
    'mark or VRF',
    'settings',
    'up',
    '10.9.0.51',
  ])
})

test('its mode is set again; that of another program’s ipvlan on the interface is named, and keeps ours from its use where it hears nothing', () => {
  assert.deepEqual(lacks({ ipvlan: { mode: 1, flags: 0 } }), ['mode'])
  assert.deepEqual(lacks({ ipvlan: { mode: 0, flags: 1 } }), ['mode'])
  const base = link(3, 'eth0')
  const clash = (more: Partial<ReturnType<typeof link>>) => {
    const all = [base, link(5, 'vrrp.51', { ...good, ipvlan: { mode: 1, flags: 0 } })]
    const links = [...all, link(6, 'other', { kind: 'ipvlan', below: 3, ...more })]
    const linkByName = (name: string) => links.find((it) => it.name === name) ?? null
    const kernel = { linkByName, linkNames: links.map(({ name }) => name) }
    return modeClash(wish, base, ({ ifindex }) => ifindex === 5, kernel)
  }
  assert.equal(clash({ ipvlan: layer2 }), null)
  assert.equal(clash({ ipvlan: { mode: 1, flags: 0 }, below: 9 }), null)
  assert.equal(clash({ ipvlan: { mode: 0, flags: 1 } })?.deaf, false)
  const layer3 = clash({ ipvlan: { mode: 2, flags: 2 } })
  assert.equal(layer3?.deaf, true)
  assert.match(
    layer3?.text ?? '',
    /^eth0 has other of another program, .* layer 3S vepa; .* layer 2 bridge$/,
  )
})

test('its VRF is that of the interface below; an address of before goes, that of another program stays', () => {
  assert.deepEqual(lacks({}, undefined, set, 9), ['mark or VRF'])
  assert.deepEqual(lacks({ master: 9 }, undefined, set, 9), [])
  const before = address(5, '10.9.0.52', { ours: true })
  const foreign = address(5, '10.9.0.53')
  assert.deepEqual(lacks({}, [before, foreign]), ['without 10.9.0.52', '10.9.0.51'])
})

test('an IPv4 link has no IPv6; an IPv6 link takes nothing of advertisements', () => {
  assert.deepEqual(ipvlanIpv6(wish), { disable_ipv6: 1 })
  const six = ipvlanIpv6({ ...wish, address: null })
  assert.deepEqual([six['disable_ipv6'], six['accept_ra']], [0, 0])
})
