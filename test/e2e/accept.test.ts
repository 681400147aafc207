/**
 * no_accept beside keepalived: what a client gets from the addresses of either, kind by kind of packet; and the table
 * that stays while another program flushes the ruleset.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'
import type { Question } from './verdict.ts'

const soonMs = 60_000

/** Of one router; `n` tells the two apart. */
const router = (n: number) => {
  const own = { eth0: [`172.16.80.${n}/24`, `fd80::${n}/64`], eth1: [`172.16.81.${n}/24`] }
  return {
    n,
    own,
    vip: `172.16.80.10${n}`,
    excluded: `172.16.81.10${n}`,
    six: `fd80::10${n}`,
    local: `fe80::10${n}`,
  }
}
type Router = ReturnType<typeof router>

const guarded = ({ n, vip, excluded, six, local }: Router) => `
vrrp_instance VI_4 {
  interface eth0
  virtual_router_id ${n}
  version 3
  priority 150
  advert_int 0.2
  no_accept
  virtual_ipaddress {
    ${vip}/24
  }
  virtual_ipaddress_excluded {
    ${excluded}/24 dev eth1
  }
}
vrrp_instance VI_6 {
  interface eth0
  virtual_router_id ${n}
  priority 150
  advert_int 0.2
  no_accept
  virtual_ipaddress {
    ${local}
    ${six}/64
  }
}
`

const asker = program('../../test/e2e/verdict.js')

async function ask(
  host: Host,
  kinds: Readonly<Record<string, Question>>,
): Promise<Record<string, string>> {
  const said = await host.must(process.execPath, [asker, JSON.stringify(Object.values(kinds))])
  const words = JSON.parse(said) as readonly string[]
  return Object.fromEntries(Object.keys(kinds).map((kind, i) => [kind, words[i] ?? '']))
}

/** Whether the client knows a link-layer address for it. */
const resolved = async (client: Host, address: string): Promise<string> =>
  / lladdr /.test(await client.sh(`ip neigh show ${address} dev eth0`)) ? 'answered' : 'dropped'

/** What becomes of each kind of packet between the client, or the router itself, and the router's addresses. */
async function verdicts(client: Host, host: Host, of: Router): Promise<Record<string, string>> {
  const { vip, excluded, six, local, n } = of
  const [fromClient, fromHost] = await Promise.all([
    ask(client, {
      'ICMP to the VIP': { by: 'echo', to: vip },
      'TCP to the VIP': { by: 'tcp', to: vip },
      'UDP to the VIP': { by: 'udp', to: vip },
      'ICMP to the excluded VIP': { by: 'echo', to: excluded },
      'ICMPv6 to the VIP': { by: 'echo', to: six },
      'TCP to the IPv6 VIP': { by: 'tcp', to: six },
      'UDP to the IPv6 VIP': { by: 'udp', to: six },
      'TCP to the link-local VIP': { by: 'tcp', to: `${local}%eth0` },
      'UDP to the link-local VIP': { by: 'udp', to: `${local}%eth0` },
      'TCP to the same link-local address on another interface': {
        by: 'tcp',
        to: `${local}%eth1`,
      },
      'UDP to the same link-local address on another interface': {
        by: 'udp',
        to: `${local}%eth1`,
      },
      'ICMP to the router’s own address': { by: 'echo', to: `172.16.80.${n}` },
      'ICMPv6 to the router’s own address': { by: 'echo', to: `fd80::${n}` },
      'TCP to the router’s own address': { by: 'tcp', to: `fd80::${n}` },
      'ICMP through the VIP as gateway': { by: 'echo', to: `10.9.${n}.1` },
      'ICMPv6 through the link-local VIP as gateway': { by: 'echo', to: `fd09:${n}::1` },
    }),
    ask(host, {
      'TCP from the VIP': { by: 'tcp', to: '172.16.80.9', from: vip },
      'TCP from the IPv6 VIP': { by: 'tcp', to: 'fd80::9', from: six },
      'TCP from the router’s own address': { by: 'tcp', to: 'fd80::9', from: `fd80::${n}` },
      'the router itself to its VIP': { by: 'echo', to: vip },
      'the router itself to its IPv6 VIP': { by: 'tcp', to: six },
    }),
  ])
  return {
    ...fromClient,
    ...fromHost,
    'ARP for the VIP': await resolved(client, vip),
    'ND for the IPv6 VIP': await resolved(client, six),
    'ND for the link-local VIP': await resolved(client, local),
  }
}

async function prepare(host: Host, { n, local }: Router): Promise<void> {
  await host.sh(`ip address add 10.9.${n}.1/32 dev lo; ip address add fd09:${n}::1/128 dev lo nodad
    ip address add ${local}/64 dev eth1 nodad
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`)
}

/** With all of its addresses. */
async function master(daemon: Daemon, { vip, excluded, six, local }: Router): Promise<void> {
  for (const name of ['VI_4', 'VI_6']) await daemon.reaches(name, 'MASTER', soonMs)
  for (const it of [vip, excluded, six, local]) await daemon.host.awaitAddress(it, true, soonMs)
}

describe('no_accept', { concurrency: 2 }, () => {
  test('a client gets from vipd’s addresses what it gets from keepalived’s', () =>
    inLab('verdicts', async (lab) => {
      const ours = router(1)
      const theirs = router(2)
      const one = await lab.host('one', { addresses: ours.own })
      const two = await lab.host('two', { addresses: theirs.own })
      const client = await lab.host('client', {
        addresses: { eth0: ['172.16.80.9/24', 'fd80::9/64'], eth1: ['172.16.81.9/24'] },
      })
      await prepare(one, ours)
      await prepare(two, theirs)
      for (const { n, vip, local } of [ours, theirs])
        await client.sh(
          `ip route add 10.9.${n}.1 via ${vip}; ip route add fd09:${n}::1 via ${local} dev eth0`,
        )
      await master(startVipd(one, guarded(ours)), ours)
      await master(startKeepalived(two, guarded(theirs)), theirs)
      const [vipd, keepalived] = await Promise.all([
        verdicts(client, one, ours),
        verdicts(client, two, theirs),
      ])
      assert.deepEqual(vipd, keepalived)
      const dropped = Object.entries(vipd).flatMap(([kind, word]) =>
        word === 'dropped' ? [kind] : [],
      )
      assert.deepEqual(dropped, [
        'ICMP to the VIP',
        'TCP to the VIP',
        'UDP to the VIP',
        'ICMP to the excluded VIP',
        'ICMPv6 to the VIP',
        'TCP to the IPv6 VIP',
        'UDP to the IPv6 VIP',
        'TCP to the link-local VIP',
        'UDP to the link-local VIP',
        'TCP from the VIP',
        'TCP from the IPv6 VIP',
        'the router itself to its VIP',
        'the router itself to its IPv6 VIP',
      ])
    }))

  test('a flushed ruleset is put back at once, and by a reload; priority and counters are in it', () =>
    inLab('flushed', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
      const text = (globals: string) => conf({ priority: 150, more: 'no_accept', globals })
      const daemon = startVipd(one, text(''))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const listed = () => one.sh('nft list ruleset')
      const whole = await listed()
      assert.match(whole, /ip daddr 172\.16\.80\.100 drop/)
      await one.sh('nft flush ruleset')
      await until('the table is there', soonMs, async () => (await listed()) === whole)
      await daemon.child.line(/another program has removed the nft table vipd_run_\w+/, soonMs)
      await one.sh(`nft flush chain inet ${/vipd_run_\w+/.exec(whole)?.[0] ?? ''} input`)
      await until('the rules are there', soonMs, async () => (await listed()) === whole)
      daemon.configure(text('nftables_priority 5\n  nftables_counters'))
      assert.equal((await daemon.tryReload()).status, 0)
      const counted = /priority filter \+ 5;[^}]*ip daddr 172\.16\.80\.100 counter packets \d+/
      await until('the new rules are there', soonMs, async () => counted.test(await listed()))
      await one.sh('nft add table inet theirs')
      await daemon.stop()
      assert.deepEqual((await listed()).trim().split('\n'), ['table inet theirs {', '}'])
      const changes = daemon.transitions.items.map((it) => it.to)
      assert.deepEqual(changes, ['BACKUP', 'MASTER'])
    }))
})
