/**
 * Virtual MAC addresses, IPv4 and IPv6: what clients and the switch see over fail-over and fail-back, what a backup does
 * with frames that are flooded to it, what becomes of the links when others touch them or daemons die, and all of it
 * beside keepalived.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { Daemon } from '../../src/lab/daemon.ts'
import { senderOf } from '../../src/lab/frames.ts'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { fromHex } from '../hex.ts'
import { frameOf, inject, ip } from './packets.ts'
import { inLab } from './pair.ts'

const soonMs = 30_000
const [vip, vip6] = ['172.16.80.100', 'fd00:80::100']
const [mac, mac6] = ['00:00:5e:00:01:33', '00:00:5e:00:02:3d']
const command = program('../cli/run.js')

type Options = { readonly advertInt?: number; readonly use?: string; readonly globals?: string }

const signed = `auth_hmac {
    key 1 hex:${'5a'.repeat(32)}
    active_key 1
  }`

/** An IPv4 and an IPv6 instance in one file. */
const conf = (priority: number, options: Options = {}): string => {
  const { advertInt = 0.2, use = 'use_vmac', globals = '' } = options
  const instance = (name: string, vrid: number, addresses: string) => `
vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${vrid}
  version 3
  priority ${priority}
  advert_int ${advertInt}
  ${use}
  virtual_ipaddress {
    ${addresses}
  }
}
`
  return `global_defs {\n  ${globals}\n}
${instance('VI_4', 51, `${vip}/24`)}${instance('VI_6', 61, `fe80::64\n    ${vip6}/64`)}`
}

const openHost = (lab: Lab, name: string, last: number): Promise<Host> =>
  lab.host(name, { addresses: { eth0: [`172.16.80.${last}/24`, `fd00:80::${last}/64`] } })

const both = async (daemon: Daemon, role: 'MASTER' | 'BACKUP') => {
  await daemon.reaches('VI_4', role, soonMs)
  await daemon.reaches('VI_6', role, soonMs)
}

type Json = Readonly<Record<string, unknown>>

const links = async (host: Host): Promise<readonly Json[]> =>
  JSON.parse(await host.must('ip', ['-j', '-d', 'address'])) as Json[]

/** 'UP 172.16.80.100/24' of each virtual link, by name; 'DOWN'. */
async function standing(host: Host): Promise<Readonly<Record<string, string>>> {
  const all = (await links(host))
    .filter((it) => String(it['ifname']).startsWith('vrrp'))
    .sort((a, b) => (String(a['ifname']) < String(b['ifname']) ? -1 : 1))
  return Object.fromEntries(
    all.map((it) => {
      const held = (it['addr_info'] as Json[]).map((a) => `${a['local']}/${a['prefixlen']}`)
      const on = (it['flags'] as string[]).includes('UP') ? 'UP' : 'DOWN'
      return [String(it['ifname']), [on, ...held.sort()].join(' ')]
    }),
  )
}

const serving = { 'vrrp.51': `UP ${vip}/24`, 'vrrp.61': `UP ${vip6}/64 fe80::64/64` }
const resting = { 'vrrp.51': 'DOWN', 'vrrp.61': 'DOWN' }

const stands = (host: Host, wanted: Readonly<Record<string, string>>) =>
  until(`${host.name}: ${JSON.stringify(wanted)}`, soonMs, async () => {
    const now = await standing(host)
    return JSON.stringify(now) === JSON.stringify(wanted)
  })

/** A connection is refused: a host answers for the address. */
const answers = (client: Host, address: string) =>
  until(`${address} answers`, soonMs, async () => {
    const script = `timeout 2 bash -c 'echo > /dev/tcp/${address}/9'`
    return (await client.run('sh', ['-c', script])).stderr.includes('refused')
  })

const neighbour = async (client: Host, address: string): Promise<string> => {
  const shown = await client.must('ip', ['neigh', 'show', address, 'dev', 'eth0'])
  return /lladdr (\S+)/.exec(shown)?.[1] ?? ''
}

/** What the switch has seen of a MAC address, but for adverts and announcements: kinds of frames. */
const fromMac = (capture: Capture, from: number, of: string) =>
  capture.frames.items.slice(from).filter(({ bytes }) => senderOf(bytes) === of)

const wardenRuns = (host: Host) =>
  until('a warden runs', soonMs, async () =>
    (await host.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd-warden'])).stdout.trim(),
  )

/** What announces addresses never reaches this host. */
const dropAnnouncements = (client: Host) =>
  client.sh(`nft -f - <<'RULES'
table netdev quiet {
  chain in { type filter hook ingress device "eth0" priority 0;
    arp saddr ip ${vip} arp daddr ip ${vip} drop
    icmpv6 type nd-neighbor-advert ip6 daddr ff02::1 drop
  }
}
RULES`)

const cleanUp = (host: Host, daemon: Vipd) =>
  host.run(process.execPath, [command, 'cleanup', '--run-dir', daemon.runDir])

describe('virtual MAC addresses', { concurrency: 2 }, () => {
  test('clients keep the virtual MAC over fail-over and fail-back, without announcements too', () =>
    inLab('keep', async (lab) => {
      const [one, two] = [await openHost(lab, 'one', 2), await openHost(lab, 'two', 3)]
      const client = await openHost(lab, 'client', 9)
      const capture = await lab.capture()
      await dropAnnouncements(client)
      // Signed as well: a frame that is not what was signed would make two masters.
      const sealed = { use: `use_vmac\n  ${signed}` }
      const first = startVipd(one, conf(150, sealed))
      await both(first, 'MASTER')
      const second = startVipd(two, conf(100, sealed))
      await both(second, 'BACKUP')
      await stands(one, serving)
      await stands(two, resting)
      const served = async () => {
        for (const address of [vip, vip6]) await answers(client, address)
        assert.deepEqual([await neighbour(client, vip), await neighbour(client, vip6)], [mac, mac6])
      }
      await served()
      // The host itself has to resolve the client: it must ask with its own address.
      await one.must('ip', ['neigh', 'flush', 'dev', 'eth0'])
      await served()
      const silent = capture.mark
      await first.stop()
      await both(second, 'MASTER')
      assert.deepEqual(await standing(one), {})
      await stands(two, serving)
      await served()
      const again = startVipd(one, conf(150, sealed))
      await both(again, 'MASTER')
      await stands(two, resting)
      await served()
      const seen = capture.frames.items.slice(silent)
      const asked = seen.some((f) => f.kind === 'arp' && f.target === vip && f.sender !== vip)
      assert.equal(asked, false, 'the client had to ask for the address anew')
      const advert = await capture.advert('an advert of IPv4', soonMs, (f) => f.vrid === 51)
      assert.deepEqual([senderOf(advert.bytes), advert.from, advert.ttl], [mac, '172.16.80.2', 255])
      const advert6 = await capture.advert('an advert of IPv6', soonMs, (f) => f.vrid === 61)
      assert.deepEqual([senderOf(advert6.bytes), advert6.ttl], [mac6, 255])
      // A split: each hears the other's adverts, which carry its own virtual MAC, when it heals.
      await lab.cut(one)
      await both(second, 'MASTER')
      await lab.heal(one)
      await both(second, 'BACKUP')
      await stands(two, resting)
      assert.deepEqual(again.transitions.items.map(({ to }) => to).slice(-2), ['MASTER', 'MASTER'])
    }))

  test('a backup forwards no frame that is flooded to it, and nothing leaves from its virtual MAC', () =>
    inLab('flooded', async (lab) => {
      const [one, client] = [await openHost(lab, 'one', 2), await openHost(lab, 'client', 9)]
      await one.sh('echo 1 > /proc/sys/net/ipv4/ip_forward')
      await one.must('ip', ['route', 'add', '198.51.100.0/24', 'via', '172.16.80.9'])
      const capture = await lab.capture()
      // A down interval of a minute: it stays backup, and no master is there to teach the switch.
      const daemon = startVipd(one, conf(100, { advertInt: 20 }))
      await both(daemon, 'BACKUP')
      await stands(one, resting)
      const through = frameOf(
        '02:00:00:00:00:77',
        { source: ip('172.16.80.9'), destination: ip('198.51.100.7'), protocol: 17 },
        new Uint8Array(8),
      )
      through.set(fromHex(mac), 0)
      const forwarded = async () => {
        const shown = await one.must('nstat', ['-az', 'IpForwDatagrams'])
        return Number(/IpForwDatagrams\s+(\d+)/.exec(shown)?.[1])
      }
      const flood = () => inject(client, 'eth0', [through, through, through])
      await flood()
      assert.equal(await forwarded(), 0)
      assert.equal(fromMac(capture, 0, mac).length + fromMac(capture, 0, mac6).length, 0)
      // It could have: keepalived’s link, which is up and has no filter for the way back, passes them on.
      await one.must('ip', ['link', 'set', 'vrrp.51', 'up'])
      await one.sh('echo 0 > /proc/sys/net/ipv4/conf/vrrp.51/rp_filter')
      await flood()
      await until('three frames are forwarded', soonMs, async () => (await forwarded()) === 3)
    }))

  test('with keepalived: either takes over from the other, IPv4 and IPv6', () =>
    inLab('interop', async (lab) => {
      const [one, two] = [await openHost(lab, 'one', 2), await openHost(lab, 'two', 3)]
      const client = await openHost(lab, 'client', 9)
      const ours = startVipd(one, conf(150))
      await both(ours, 'MASTER')
      const theirs = startKeepalived(two, conf(100))
      await both(theirs, 'BACKUP')
      const answered = async () => {
        for (const address of [vip, vip6]) await answers(client, address)
      }
      const served = async () => {
        await answered()
        assert.deepEqual([await neighbour(client, vip), await neighbour(client, vip6)], [mac, mac6])
      }
      await served()
      await ours.stop()
      await both(theirs, 'MASTER')
      // It asks for its clients with the virtual address and its own MAC, which they then keep.
      await answered()
      // keepalived is master with its link up: it has to hear ours, which is better, and ours hears it before.
      const back = startVipd(one, conf(150))
      await both(back, 'MASTER')
      await both(theirs, 'BACKUP')
      await served()
      assert.deepEqual(await back.errors(), {})
      await theirs.stop()
      const better = startKeepalived(two, conf(200))
      await both(better, 'MASTER')
      await both(back, 'BACKUP')
      await stands(one, resting)
      await answered()
    }))

  test('others touch the links of a master: deleted, switched off, the interface down and up', () =>
    inLab('touched', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const client = await openHost(lab, 'client', 9)
      const daemon = startVipd(one, conf(150))
      await both(daemon, 'MASTER')
      await stands(one, serving)
      const transitions = () => daemon.transitions.items.length
      const before = transitions()
      for (const name of ['vrrp.51', 'vrrp.61']) {
        await one.must('ip', ['link', 'del', name])
        await stands(one, serving)
      }
      for (const name of ['vrrp.51', 'vrrp.61']) {
        await one.must('ip', ['link', 'set', name, 'down'])
        await stands(one, serving)
      }
      await one.must('ip', ['addr', 'flush', 'dev', 'vrrp.61'])
      await stands(one, serving)
      for (const address of [vip, vip6]) await answers(client, address)
      assert.equal(transitions(), before, 'a transition')
      await one.must('ip', ['link', 'set', 'eth0', 'down'])
      await stands(one, resting)
      await one.must('ip', ['link', 'set', 'eth0', 'up'])
      await one.must('ip', ['addr', 'add', 'fd00:80::2/64', 'dev', 'eth0', 'nodad'])
      await both(daemon, 'MASTER')
      await stands(one, serving)
      // The base's own address set anew, behind the virtual one: both are answered for.
      await one.must('ip', ['addr', 'add', '172.16.80.22/24', 'dev', 'eth0'])
      await one.must('ip', ['addr', 'del', '172.16.80.22/24', 'dev', 'eth0'])
      for (const address of [vip, '172.16.80.2']) await answers(client, address)
      assert.deepEqual(
        [await neighbour(client, vip), await neighbour(client, '172.16.80.2')],
        [mac, lab.mac(one)],
      )
      // A name that is another program's is left to it.
      await daemon.stop()
      await one.must('ip', ['link', 'add', 'vrrp.51', 'type', 'veth', 'peer', 'name', 'far'])
      const next = startVipd(one, conf(150))
      await next.reaches('VI_4', 'FAULT', soonMs)
      assert.match(next.child.text, /vrrp\.51 cannot be used: the name is taken by a veth/)
      await one.must('ip', ['link', 'del', 'vrrp.51'])
      await next.reaches('VI_4', 'MASTER', soonMs)
      await stands(one, serving)
    }))

  test('killed: the warden switches the links off; both killed: the next start adopts, cleanup deletes', () =>
    inLab('killed', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const daemon = startVipd(one, conf(150))
      await both(daemon, 'MASTER')
      await stands(one, serving)
      await wardenRuns(one)
      await daemon.kill()
      await stands(one, resting)
      const index = async () =>
        (await links(one))
          .filter((it) => String(it['ifname']).startsWith('vrrp'))
          .map((it) => it['ifindex'])
      const left = await index()
      const next = startVipd(one, conf(150))
      await both(next, 'MASTER')
      await stands(one, serving)
      assert.deepEqual(await index(), left, 'adopted')
      await wardenRuns(one)
      await one.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
      await next.child.ended(soonMs)
      // Their lifetime ends them; the links stay up, without an address.
      await stands(one, { 'vrrp.51': 'UP', 'vrrp.61': 'UP' })
      const after = startVipd(one, conf(100, { advertInt: 20 }))
      await both(after, 'BACKUP')
      await stands(one, resting)
      assert.deepEqual(await index(), left)
      await wardenRuns(one)
      await one.sh('kill -KILL $(pgrep -x vipd-warden) $(pgrep -o -x "node|vipd")')
      await after.child.ended(soonMs)
      await one.must('ip', ['link', 'add', 'mine', 'link', 'eth0', 'type', 'macvlan'])
      const done = await cleanUp(one, after)
      assert.equal(done.status, 0, done.stderr)
      assert.match(done.stdout, /removed the link vrrp\.51/)
      assert.deepEqual(await standing(one), {})
      await one.must('ip', ['link', 'show', 'mine'])
    }))

  test('a reload switches it on and off under a master, which stays master', () =>
    inLab('reload', async (lab) => {
      const one = await openHost(lab, 'one', 2)
      const client = await openHost(lab, 'client', 9)
      const capture = await lab.capture()
      const daemon = startVipd(one, conf(150, { use: '' }))
      await both(daemon, 'MASTER')
      const before = daemon.transitions.items.length
      const settings = () =>
        one.sh('cd /proc/sys/net/ipv4/conf/eth0; cat arp_ignore arp_announce arp_filter | xargs')
      assert.equal((await settings()).trim(), '0 0 0')
      const reload = async (use: string) => {
        daemon.configure(conf(150, { use }))
        const { status, text } = await daemon.tryReload()
        assert.equal(status, 0, text)
      }
      await reload('use_vmac')
      await stands(one, serving)
      assert.equal((await settings()).trim(), '1 2 0')
      const held = await one.must('ip', ['-br', 'addr', 'show', 'eth0'])
      assert.ok(!held.includes(vip) && !held.includes(vip6), held)
      await answers(client, vip)
      assert.equal(await neighbour(client, vip), mac)
      await reload('use_vmac\n  vmac_xmit_base')
      const base = capture.mark
      await capture.advert(
        'an advert of the interface',
        soonMs,
        (f) => senderOf(f.bytes) === lab.mac(one),
        base,
      )
      await reload('')
      await stands(one, {})
      await until(
        'the settings are as they were',
        soonMs,
        async () => (await settings()).trim() === '0 0 0',
      )
      await answers(client, vip)
      assert.equal(await neighbour(client, vip), lab.mac(one))
      assert.equal(daemon.transitions.items.length, before, 'a transition')
      assert.equal(capture.adverts((f) => f.priority === 0).length, 0)
    }))
})
