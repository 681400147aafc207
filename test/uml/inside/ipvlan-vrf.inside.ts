/** use_ipvlan, vrf, and routes in a VRF: what is in the kernel and on the wire, beside keepalived. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../../src/lab/host.ts'
import { startKeepalived } from '../../../src/lab/keepalived.ts'
import { program } from '../../../src/lab/program.ts'
import { startVipd } from '../../../src/lab/vipd.ts'
import { until } from '../../../src/lab/wait.ts'
import { inLab } from '../../e2e/pair.ts'
import { leads, on, slowMs, vip, vipd } from './pair.ts'

const ip = (host: Host, words: string) => host.must('ip', words.split(' '))

type ShownLink = {
  readonly link: string
  readonly flags: readonly string[]
  readonly master?: string
  readonly linkinfo: { readonly info_kind: string; readonly info_data: Record<string, unknown> }
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[]
}

async function shown(host: Host, name: string): Promise<ShownLink | null> {
  const { status, stdout } = await host.run('ip', ['-j', '-d', 'address', 'show', 'dev', name])
  return status === 0 ? ((JSON.parse(stdout) as ShownLink[])[0] ?? null) : null
}

const four = (link: ShownLink | null): readonly string[] =>
  (link?.addr_info ?? []).map((it) => `${it.local}/${it.prefixlen}`)

const sysctl = async (host: Host, name: string): Promise<string> =>
  (await host.sh(`cat /proc/sys/net/${name}`)).trim()

test('use_ipvlan: the link, its address, the adverts; lost parent, lost link, kill, cleanup, keepalived as the peer', () =>
  inLab('ipvlan', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['10.80.0.2/24'] } })
    const uses = (address: string, priority: number) => ({
      priority,
      more: `use_ipvlan ${address}/24 private`,
    })
    const capture = await lab.capture()
    const master = vipd(one, 'eth0', uses('10.80.0.51', 150))
    await leads(one, master)
    const link = await shown(one, 'vrrp.51')
    assert.deepEqual(
      [link?.link, link?.linkinfo.info_kind, link?.linkinfo.info_data['mode'], four(link)],
      ['eth0', 'ipvlan', 'l2', ['10.80.0.51/24']],
    )
    const text = await one.must('ip', ['-d', 'link', 'show', 'dev', 'vrrp.51'])
    assert.match(text, /ipvlan\s+mode l2 private/)
    assert.ok(four(await shown(one, 'eth0')).includes(`${vip}/24`), 'the VIP is on the interface')
    assert.equal(await sysctl(one, 'ipv6/conf/vrrp.51/disable_ipv6'), '1')
    assert.doesNotMatch(await one.must('ip', ['route']), /dev vrrp\.51/)
    const advert = await capture.advert('an advert', slowMs, (f) => f.priority === 150, 0)
    assert.equal(advert.from, '10.80.0.51')
    const peer = startKeepalived(two, on('eth0', uses('10.80.0.52', 100)))
    await peer.reaches('VI_1', 'BACKUP', slowMs)
    await ip(one, 'link set eth0 down')
    await master.reaches('VI_1', 'FAULT', slowMs)
    await peer.reaches('VI_1', 'MASTER', slowMs)
    await ip(one, 'link set eth0 up')
    await leads(one, master)
    await peer.reaches('VI_1', 'BACKUP', slowMs)
    const known = master.transitions.items.length
    await ip(one, 'link delete vrrp.51')
    await until('the link is made again', slowMs, async () =>
      four(await shown(one, 'vrrp.51')).includes('10.80.0.51/24'),
    )
    await until('it leads', slowMs, () => Promise.resolve(master.state('VI_1') === 'MASTER'))
    const from = capture.mark
    await capture.advert('an advert from the new link', slowMs, (f) => f.priority === 150, from)
    assert.ok(master.transitions.items.length - known <= 3, 'FAULT, BACKUP, MASTER at most')
    await ip(one, 'address del 10.80.0.51/24 dev vrrp.51')
    await until('the address is set again', slowMs, async () =>
      four(await shown(one, 'vrrp.51')).includes('10.80.0.51/24'),
    )
    await leads(one, master)
    await one.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
    await master.child.ended(slowMs)
    assert.notEqual(await shown(one, 'vrrp.51'), null, 'it is left')
    const command = [program('../cli/run.js'), 'cleanup', '--run-dir', '/run/lab/vipd']
    const done = await one.run(process.execPath, command)
    assert.equal(done.status, 0, done.stderr)
    assert.equal(await shown(one, 'vrrp.51'), null)
    await peer.reaches('VI_1', 'MASTER', slowMs)
    const again = vipd(one, 'eth0', uses('10.80.0.51', 150))
    await leads(one, again)
    await again.stop()
    assert.equal(await shown(one, 'vrrp.51'), null)
    await one.awaitAddress(vip, false, slowMs)
  }))

test('use_ipvlan of IPv6 speaks from the link-local address of the link', () =>
  inLab('ipvlan6', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const capture = await lab.capture()
    const addresses = 'fe80::61/64\n    fd80::100/64'
    const master = vipd(one, 'eth0', { priority: 150, vip: addresses, more: 'use_ipvlan' })
    await master.reaches('VI_1', 'MASTER', slowMs)
    const link = await shown(one, 'vrrp.51')
    const own = link?.addr_info.find(({ local }) => local.startsWith('fe80::'))?.local
    const advert = await capture.advert('an advert', slowMs, (f) => f.priority === 150, 0)
    assert.equal(advert.from, own)
    assert.ok(four(await shown(one, 'eth0')).some((it) => it.startsWith('fd80::100/')))
  }))

async function inVrf(host: Host): Promise<void> {
  await ip(host, 'link add red type vrf table 100')
  await ip(host, 'link set red up')
  await ip(host, 'link set eth0 master red')
}

test('vrf: unicast in a VRF, where the source is outside of it too; a route in its table', () =>
  inLab('vrf', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const two = await lab.host('two', { addresses: { eth0: ['10.80.0.2/24'] } })
    for (const host of [one, two]) await inVrf(host)
    // The same address outside, on an interface that reaches no peer.
    await ip(one, 'link add other type dummy')
    await ip(one, 'link set other up')
    await ip(one, 'address add 10.80.0.1/24 dev other')
    const unicast = (own: number, peer: number, priority: number) => ({
      priority,
      vip: `${vip}/24 dev eth0`,
      more: `vrf red
  unicast_src_ip 10.80.0.${own}
  unicast_peer {
    10.80.0.${peer}
  }
  virtual_routes {
    192.0.2.0/24 via 10.80.0.9 dev eth0 vrf red
  }`,
    })
    const start = (host: Host, it: ReturnType<typeof unicast>) =>
      startVipd(host, on('eth0', it).replace('  interface eth0\n', ''))
    const master = start(one, unicast(1, 2, 150))
    await leads(one, master)
    const route = await one.must('ip', ['route', 'show', 'table', '100', '192.0.2.0/24'])
    assert.match(route, /via 10\.80\.0\.9 dev eth0/)
    assert.equal((await one.must('ip', ['route', 'show', '192.0.2.0/24'])).trim(), '')
    const backup = start(two, unicast(2, 1, 100))
    await backup.reaches('VI_1', 'BACKUP', slowMs)
    await master.stop()
    await leads(two, backup)
    assert.equal(
      (await one.must('ip', ['route', 'show', 'table', '100', '192.0.2.0/24'])).trim(),
      '',
    )
    await ip(two, 'link delete red')
    await backup.reaches('VI_1', 'FAULT', slowMs)
    await inVrf(two)
    await leads(two, backup)
  }))
