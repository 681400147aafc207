/** Virtual MAC addresses on a bond, on a VLAN and in a VRF: clients keep them, whatever happens below. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { senderOf } from '../../../src/lab/frames.ts'
import type { Host } from '../../../src/lab/host.ts'
import type { Lab } from '../../../src/lab/lab.ts'
import { until } from '../../../src/lab/wait.ts'
import { inLab } from '../../e2e/pair.ts'
import { leads, slowMs, vip, vipd } from './pair.ts'

const ip = (host: Host, words: string) => host.must('ip', words.split(' '))
const mac = '00:00:5e:00:01:33'
const uses = (priority: number) => ({ priority, more: 'use_vmac' })

/** The MAC address that the virtual one has for that host: it asks for it anew. */
const learned = (host: Host, link: string) =>
  until('the client knows the address', slowMs, async () => {
    await host.run('ip', ['neighbour', 'flush', 'dev', link])
    await host.run('bash', ['-c', `echo > /dev/udp/${vip}/9`])
    const text = await ip(host, `neighbour show ${vip} dev ${link}`)
    return /lladdr (\S+)/.exec(text)?.[1] ?? null
  })

async function masters(lab: Lab, one: Host, two: Host, link: string) {
  const master = vipd(one, link, uses(150))
  await leads(one, master)
  const backup = vipd(two, link, uses(100))
  await backup.reaches('VI_1', 'BACKUP', slowMs)
  const client = await lab.host('client', { addresses: { eth0: [] } })
  return { master, backup, client }
}

test('on a bond: the slave changes, nothing happens; the bond is lost and comes back', () =>
  inLab('vmacbond', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: [], eth1: [] } })
    await ip(one, 'link add bond0 type bond mode active-backup miimon 50')
    for (const slave of ['eth0', 'eth1']) {
      await ip(one, `link set ${slave} down`)
      await ip(one, `link set ${slave} master bond0`)
    }
    await ip(one, 'link set bond0 type bond active_slave eth0')
    await ip(one, 'link set bond0 up')
    await ip(one, 'address add 10.80.0.1/24 dev bond0')
    const patch = await lab.host('patch', { addresses: { eth0: [], eth1: [] } })
    await ip(patch, 'link add name br0 type bridge forward_delay 0 mcast_snooping 0')
    await ip(patch, 'link set br0 up')
    for (const port of ['eth0', 'eth1']) await ip(patch, `link set ${port} master br0`)
    const client = await lab.host('client', { addresses: { eth0: ['10.80.0.9/24'] } })
    const master = vipd(one, 'bond0', uses(150))
    await leads(one, master)
    assert.equal(await learned(client, 'eth0'), mac)
    const capture = await lab.capture()
    await ip(one, 'link set bond0 type bond active_slave eth1')
    const from = capture.mark
    const advert = await capture.advert('an advert', slowMs, (f) => f.priority === 150, from)
    assert.equal(senderOf(advert.bytes), mac)
    assert.equal(await learned(client, 'eth0'), mac)
    assert.equal(master.transitions.items.length, 2)
    for (const slave of ['eth0', 'eth1']) await lab.unplug(one, slave)
    await master.reaches('VI_1', 'FAULT', slowMs)
    for (const slave of ['eth0', 'eth1']) await lab.plug(one, slave)
    await leads(one, master)
    assert.equal(await learned(client, 'eth0'), mac)
  }))

test('on a VLAN: a fail-over and back; the VLAN is deleted and made again', () =>
  inLab('vmacvlan', async (lab) => {
    const tag = async (host: Host, address: string): Promise<void> => {
      await ip(host, 'link add link eth0 name eth0.100 type vlan id 100')
      await ip(host, 'link set eth0.100 up')
      await ip(host, `address add ${address} dev eth0.100`)
    }
    const one = await lab.host('one', { addresses: { eth0: [] } })
    const two = await lab.host('two', { addresses: { eth0: [] } })
    await tag(one, '10.80.0.1/24')
    await tag(two, '10.80.0.2/24')
    const { master, backup, client } = await masters(lab, one, two, 'eth0.100')
    await tag(client, '10.80.0.9/24')
    assert.equal(await learned(client, 'eth0.100'), mac)
    await ip(one, 'link set eth0 down')
    await leads(two, backup)
    assert.equal(await learned(client, 'eth0.100'), mac)
    await ip(one, 'link set eth0 up')
    await leads(one, master)
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    await ip(one, 'link delete eth0.100')
    await leads(two, backup)
    await tag(one, '10.80.0.1/24')
    await leads(one, master)
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    assert.equal(await learned(client, 'eth0.100'), mac)
  }))

test('in a VRF: the link is in it, follows its interface out and in again, and clients keep the address', () =>
  inLab('vmacvrf', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['10.80.0.2/24'] } })
    for (const host of [one, two]) {
      await ip(host, 'link add red type vrf table 100')
      await ip(host, 'link set red up')
      await ip(host, 'link set eth0 master red')
    }
    const { master, backup, client } = await masters(lab, one, two, 'eth0')
    await ip(client, 'address add 10.80.0.9/24 dev eth0')
    assert.equal(await learned(client, 'eth0'), mac)
    assert.match(await ip(one, 'link show dev vrrp.51'), /master red/)
    await ip(one, 'link set eth0 nomaster')
    await until(
      'it has left the VRF',
      slowMs,
      async () => !(await ip(one, 'link show dev vrrp.51')).includes('master red'),
    )
    await one.awaitAddress(vip, true, slowMs)
    await ip(one, 'link set eth0 master red')
    await until('it is in the VRF again', slowMs, async () =>
      (await ip(one, 'link show dev vrrp.51')).includes('master red'),
    )
    assert.equal(await learned(client, 'eth0'), mac)
    assert.deepEqual([master.transitions.items.length, backup.transitions.items.length], [2, 1])
    await master.stop()
    await leads(two, backup)
    assert.equal(await learned(client, 'eth0'), mac)
  }))
