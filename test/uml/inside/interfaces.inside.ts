/** Bonds, VLANs, VRF and ipvlan under an instance: what happens to the interface, and what vipd makes of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { senderOf } from '../../../src/lab/frames.ts'
import type { Host } from '../../../src/lab/host.ts'
import type { Lab } from '../../../src/lab/lab.ts'
import { inLab } from '../../e2e/pair.ts'
import { leads, slowMs, vip, vipd } from './pair.ts'

const ip = (host: Host, words: string) => host.must('ip', words.split(' '))

/** A host whose bond0 has its slaves on two segments, which `patch` joins to one. */
async function bonded(lab: Lab, name: string, address: string, options = ''): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [], eth1: [] } })
  await ip(host, `link add bond0 type bond mode active-backup miimon 50 ${options}`.trim())
  for (const slave of ['eth0', 'eth1']) {
    await ip(host, `link set ${slave} down`)
    await ip(host, `link set ${slave} master bond0`)
  }
  await ip(host, 'link set bond0 type bond active_slave eth0')
  await ip(host, 'link set bond0 up')
  await ip(host, `address add ${address} dev bond0`)
  return host
}

async function patch(lab: Lab): Promise<void> {
  const host = await lab.host('patch', { addresses: { eth0: [], eth1: [] } })
  await ip(host, 'link add name br0 type bridge forward_delay 0 mcast_snooping 0')
  await ip(host, 'link set br0 up')
  for (const port of ['eth0', 'eth1']) await ip(host, `link set ${port} master br0`)
}

test('a bond changes its slave: nothing happens; both are lost: FAULT, and back', () =>
  inLab('bond', async (lab) => {
    await patch(lab)
    const one = await bonded(lab, 'one', '10.80.0.1/24')
    const two = await bonded(lab, 'two', '10.80.0.2/24')
    const master = vipd(one, 'bond0', { priority: 150 })
    await leads(one, master)
    const backup = vipd(two, 'bond0', { priority: 100 })
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    const capture = await lab.capture()
    for (const slave of ['eth1', 'eth0', 'eth1']) {
      await ip(one, `link set bond0 type bond active_slave ${slave}`)
      const from = capture.mark
      for (let n = 0; n < 3; n++)
        await capture.advert('an advert of the master', slowMs, (f) => f.priority === 150, from + n)
    }
    assert.deepEqual([master.transitions.items.length, backup.transitions.items.length], [2, 1])
    await lab.unplug(one, 'eth0')
    await lab.unplug(one, 'eth1')
    await master.reaches('VI_1', 'FAULT', slowMs)
    await leads(two, backup)
    await lab.plug(one, 'eth0')
    await leads(one, master)
    await backup.reaches('VI_1', 'BACKUP', slowMs)
  }))

test('a bond takes the MAC of its new slave: the addresses are announced with it', () =>
  inLab('bondmac', async (lab) => {
    await patch(lab)
    const one = await bonded(lab, 'one', '10.80.0.1/24', 'fail_over_mac active')
    const master = vipd(one, 'bond0', { priority: 150 })
    await leads(one, master)
    const capture = await lab.capture({ segment: 'eth1' })
    const from = capture.mark
    await ip(one, 'link set bond0 type bond active_slave eth1')
    const mac = lab.mac(one, 'eth1')
    await capture.frames.next(
      `an announcement with ${mac}`,
      slowMs,
      (f) => f.kind === 'arp' && f.sender === vip && senderOf(f.bytes) === mac,
      from,
    )
    assert.equal(master.state('VI_1'), 'MASTER')
  }))

async function tagged(lab: Lab, name: string, address: string): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [] } })
  await tag(host, address)
  return host
}

async function tag(host: Host, address: string): Promise<void> {
  await ip(host, 'link add link eth0 name eth0.100 type vlan id 100')
  await ip(host, 'link set eth0.100 up')
  await ip(host, `address add ${address} dev eth0.100`)
}

test('a VLAN whose parent goes down, or that is deleted and made again, comes back, as master and as backup', () =>
  inLab('vlan', async (lab) => {
    const one = await tagged(lab, 'one', '10.80.0.1/24')
    const two = await tagged(lab, 'two', '10.80.0.2/24')
    const master = vipd(one, 'eth0.100', { priority: 150 })
    await leads(one, master)
    const backup = vipd(two, 'eth0.100', { priority: 100 })
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    await ip(one, 'link set eth0 down')
    await leads(two, backup)
    await ip(one, 'link set eth0 up')
    await leads(one, master)
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    for (const [host, address] of [
      [one, '10.80.0.1/24'],
      [two, '10.80.0.2/24'],
    ] as const) {
      const daemon = host === one ? master : backup
      const lost = daemon.transitions.items.length
      await ip(host, 'link delete eth0.100')
      await daemon.transitions.next('FAULT', slowMs, (t) => t.to === 'FAULT', lost)
      await tag(host, address)
      await leads(one, master)
      await backup.reaches('VI_1', 'BACKUP', slowMs)
    }
  }))

test('the interface gets another MAC: announced at once, still master', () =>
  inLab('mac', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const master = vipd(one, 'eth0', { priority: 150 })
    await leads(one, master)
    const capture = await lab.capture()
    const from = capture.mark
    await ip(one, 'link set eth0 address 02:00:00:00:77:77')
    await capture.frames.next(
      'an announcement with the new MAC',
      slowMs,
      (f) => f.kind === 'arp' && f.sender === vip && senderOf(f.bytes) === '02:00:00:00:77:77',
      from,
    )
    assert.equal(master.state('VI_1'), 'MASTER')
  }))

test('an interface is put into a VRF and freed while the instance leads: no transition', () =>
  inLab('vrf', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['10.80.0.2/24'] } })
    await ip(one, 'link add red type vrf table 100')
    await ip(one, 'link set red up')
    const master = vipd(one, 'eth0', { priority: 150 })
    await leads(one, master)
    const backup = vipd(two, 'eth0', { priority: 100 })
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    const capture = await lab.capture()
    for (const change of ['master red', 'nomaster']) {
      await ip(one, `link set eth0 ${change}`)
      const from = capture.mark
      await capture.advert('an advert after the change', slowMs, (f) => f.priority === 150, from)
      await one.awaitAddress(vip, true, slowMs)
    }
    assert.deepEqual([master.transitions.items.length, backup.transitions.items.length], [2, 1])
  }))

test('an ipvlan whose parent is set down is down', () =>
  inLab('ipvlan', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: [] } })
    await ip(one, 'link add ipv0 link eth0 type ipvlan mode l2')
    await ip(one, 'link set ipv0 up')
    await ip(one, 'address add 10.80.0.1/24 dev ipv0')
    const master = vipd(one, 'ipv0', { priority: 150 })
    await leads(one, master)
    await ip(one, 'link set eth0 down')
    await master.reaches('VI_1', 'FAULT', slowMs)
    await ip(one, 'link set eth0 up')
    await leads(one, master)
  }))
