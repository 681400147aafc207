/**
 * Other machines that claim an address, in networks where that is more than the mistake of one host: what a hand-over looks
 * like, a switch that sends frames back, routers that answer ARP for others, virtual MAC addresses, unicast.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import {
  answers,
  check,
  claimed,
  claimsOf,
  six,
  soonMs,
  speakFrom,
  three,
  vip,
  vip6,
} from '../e2e/claiming.ts'
import { conf, inLab } from '../e2e/pair.ts'

describe('no claim', { concurrency: 2 }, () => {
  test('masters that follow each other claim nothing: taken over, handed over, resigned, by keepalived', () =>
    inLab('claims', async (lab) => {
      const { one, two } = await three(lab)
      const first = startVipd(one, conf({ priority: 100, more: six }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const second = startVipd(two, conf({ priority: 150, more: six }))
      await second.reaches('VI_1', 'MASTER', soonMs)
      await first.reaches('VI_1', 'BACKUP', soonMs)
      assert.equal((await second.ask('failover', 'VI_1')).status, 0)
      await first.reaches('VI_1', 'MASTER', soonMs)
      assert.equal((await second.ask('resume', 'VI_1')).status, 0)
      await second.reaches('VI_1', 'MASTER', soonMs)
      await second.stop()
      await first.reaches('VI_1', 'MASTER', soonMs)
      const better = startKeepalived(two, conf({ priority: 150, more: six }))
      await better.reaches('VI_1', 'MASTER', soonMs)
      await first.reaches('VI_1', 'BACKUP', soonMs)
      await better.stop()
      await first.reaches('VI_1', 'MASTER', soonMs)
      for (const { child } of [first, second])
        assert.doesNotMatch(child.text, /is claimed by another machine/)
      assert.equal((await claimsOf(first)).reported, 0)
    }))

  test('a switch that sends back what a host broadcasts', () =>
    inLab('mirror', async (lab) => {
      const { one } = await three(lab)
      await lab.reflect(one)
      const globals = 'vipd_address_claim defend\n  vrrp_garp_master_refresh 1'
      const master = startVipd(one, conf({ priority: 150, globals, more: six }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const back = one.run('timeout', [
        '30',
        'tcpdump',
        '-ni',
        'eth0',
        '-Q',
        'in',
        '-c',
        '12',
        'arp',
        'src',
        vip,
      ])
      // What its kernel asks in the name of the address comes back, too.
      for (let to = 20; to < 26; to++) await speakFrom(one, vip, `172.16.80.${to}`)
      assert.equal((await back).status, 0, 'frames come back')
      assert.equal((await claimsOf(master)).reported, 0)
      assert.doesNotMatch(master.child.text, /is claimed by/)
    }))
})

describe('virtual MAC addresses and unicast', { concurrency: 2 }, () => {
  const virtual = '00:00:5e:00:01:33'
  const vmac = 'use_vmac'

  test('a stranger speaks, and tries duplicate address detection', () =>
    inLab('vmac', async (lab) => {
      const { one, stranger } = await three(lab)
      const master = startVipd(one, conf({ priority: 150, more: `${vmac}\n  ${six}` }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      await claimed(master, stranger)
      await stranger.must('sysctl', ['-w', 'net.ipv6.conf.eth0.accept_dad=1'])
      await stranger.must('ip', ['-6', 'address', 'add', `${vip6}/64`, 'dev', 'eth0'])
      await master.child.line(
        new RegExp(
          `${vip6} is claimed by another machine: ${lab.mac(stranger)} on .* asks whether`,
        ),
        soonMs,
      )
      const { claimants, announced } = await claimsOf(master)
      assert.deepEqual(
        claimants.map((it) => [it['mac'], it['how'], it['sameMac']]),
        [
          [lab.mac(stranger), 'used', false],
          [lab.mac(stranger), 'probed', false],
        ],
      )
      assert.equal(announced, 1)
      await until('its detection has failed', soonMs, async () =>
        (await stranger.must('ip', ['-6', 'address', 'show', 'dev', 'eth0'])).includes('dadfailed'),
      )
    }))

  test('a stale keepalived answers with the virtual MAC address, and speaks with it', () =>
    inLab('stale', async (lab) => {
      const { one, two } = await three(lab)
      const stale = startKeepalived(one, conf({ priority: 150, more: vmac }))
      await stale.reaches('VI_1', 'MASTER', soonMs)
      const globals = check('warn')
      const backup = startVipd(two, conf({ priority: 100, more: vmac, globals }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await one.awaitAddress(vip, true, soonMs)
      await stale.kill()
      await backup.child.line(
        new RegExp(
          `${vip} is claimed .* the MAC address of this host.*: ${virtual} on .* answers for it`,
        ),
        soonMs,
      )
      await backup.reaches('VI_1', 'MASTER', soonMs)
      const link = 'vrrp.51'
      let to = 30
      await until('it speaks', soonMs, async () => {
        to += 1
        await one.must('ip', ['route', 'replace', `172.16.80.${to}/32`, 'dev', link, 'src', vip])
        await one.run('bash', ['-c', `echo > /dev/udp/172.16.80.${to}/9`])
        return (await claimsOf(backup)).reported > 0
      })
      const { claimants, announced } = await claimsOf(backup)
      assert.deepEqual(
        claimants.map((it) => [it['mac'], it['how'], it['sameMac']]),
        [[virtual, 'used', true]],
      )
      assert.equal(announced, 0)
    }))

  test('hand-overs between routers with one virtual MAC address claim nothing', () =>
    inLab('vmac', async (lab) => {
      const { one, two } = await three(lab)
      const more = `${vmac}\n  ${six}`
      const first = startVipd(one, conf({ priority: 100, more }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const second = startVipd(two, conf({ priority: 150, more }))
      await second.reaches('VI_1', 'MASTER', soonMs)
      await first.reaches('VI_1', 'BACKUP', soonMs)
      assert.equal((await second.ask('failover', 'VI_1')).status, 0)
      await first.reaches('VI_1', 'MASTER', soonMs)
      await second.stop()
      const better = startKeepalived(two, conf({ priority: 150, more }))
      await better.reaches('VI_1', 'MASTER', soonMs)
      await first.reaches('VI_1', 'BACKUP', soonMs)
      await better.stop()
      await first.reaches('VI_1', 'MASTER', soonMs)
      for (const { child } of [first, second]) assert.doesNotMatch(child.text, /is claimed by/)
    }))

  test('unicast: a stranger, and a hand-over', () =>
    inLab('unicast', async (lab) => {
      const { one, two, stranger } = await three(lab)
      const peers = (own: string, other: string) =>
        `unicast_src_ip 172.16.80.${own}\n  unicast_peer {\n    172.16.80.${other}\n  }`
      const first = startVipd(one, conf({ priority: 150, more: peers('2', '3') }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const second = startVipd(two, conf({ priority: 100, more: peers('3', '2') }))
      await second.reaches('VI_1', 'BACKUP', soonMs)
      assert.equal((await first.ask('failover', 'VI_1')).status, 0)
      await second.reaches('VI_1', 'MASTER', soonMs)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      assert.equal((await claimsOf(second)).reported, 0)
      await claimed(second, stranger)
      assert.doesNotMatch(first.child.text, /is claimed by/)
      const { claimants } = await claimsOf(second)
      assert.deepEqual(
        claimants.map((it) => it['mac']),
        [lab.mac(stranger)],
      )
    }))
})

describe('a router that answers ARP for others', { concurrency: 2 }, () => {
  const counted = async (lab: Lab, body: () => Promise<void>): Promise<number> => {
    const capture = await lab.capture({ filter: 'arp' })
    await body()
    return capture.mark
  }

  test('Linux with proxy_arp: it answers announcements and no question, so refuse leads; and clients', () =>
    inLab('proxy', async (lab) => {
      const { one, two } = await three(lab)
      const router = await lab.host('router', {
        addresses: { eth0: ['172.16.80.1/24'], eth1: ['10.80.0.1/24'] },
      })
      await router.must('sysctl', ['-w', 'net.ipv4.ip_forward=1'])
      await router.must('sysctl', ['-w', 'net.ipv4.conf.eth0.proxy_arp=1'])
      await router.must('sysctl', ['-w', 'net.ipv4.neigh.eth0.proxy_delay=0'])
      await router.must('ip', ['route', 'add', `${vip}/32`, 'dev', 'eth1'])
      const globals = `${check('refuse')}\n  vipd_address_claim defend\n  vrrp_garp_master_refresh 1`
      const frames = await counted(lab, async () => {
        const master = startVipd(one, conf({ priority: 150, globals }))
        await master.reaches('VI_1', 'MASTER', soonMs)
        const answered = new RegExp(
          `${vip} is claimed by another machine: ${lab.mac(router)} on eth0 answers for it`,
        )
        await master.child.line(answered, soonMs)
        await until('several answers', soonMs, async () => (await claimsOf(master)).frames > 2)
        const { announced, reported } = await claimsOf(master)
        assert.deepEqual([announced, reported], [0, 1])
        assert.doesNotMatch(master.child.text, /FAULT/)
        // A client hears both.
        const replies = two.spawn('tcpdump', [
          '-lni',
          'eth0',
          `arp[6:2] == 2 and arp src host ${vip}`,
        ])
        await replies.line(/listening on/, soonMs)
        await two.run('bash', ['-c', `echo > /dev/udp/${vip}/9`])
        for (const host of [one, router])
          await replies.line(new RegExp(`is-at ${lab.mac(host)}`), soonMs)
      })
      assert.ok(frames < 100, `${frames} frames`)
    }))

  test('one that answers all that is asked, and announced: warn leads, refuse does not, defend makes no storm', () =>
    inLab('proxy', async (lab) => {
      const { one, two, stranger } = await three(lab)
      await answersAll(lab, stranger)
      const globals = (policy: string) =>
        `${check(policy)}\n  vipd_address_claim defend\n  vrrp_garp_master_refresh 1`
      const frames = await counted(lab, async () => {
        const master = startVipd(one, conf({ priority: 150, globals: globals('warn') }))
        await master.child.line(answers(lab.mac(stranger)), soonMs)
        await master.reaches('VI_1', 'MASTER', soonMs)
        await until(
          'its answers to announcements are heard',
          soonMs,
          async () => (await claimsOf(master)).frames > 2,
        )
        const { reported, announced, claimants } = await claimsOf(master)
        assert.deepEqual([reported, announced], [1, 0])
        assert.deepEqual(
          claimants.map((it) => [it['mac'], it['how']]),
          [[lab.mac(stranger), 'answered']],
        )
        await master.stop()
      })
      assert.ok(frames < 100, `${frames} frames`)
      const refuses = startVipd(two, conf({ priority: 150, globals: globals('refuse') }))
      await refuses.reaches('VI_1', 'FAULT', soonMs)
    }))
})

/** Starts arp-router.js there. */
async function answersAll(lab: Lab, host: Host): Promise<void> {
  const { ifindex } =
    (
      JSON.parse(await host.must('ip', ['-j', 'link', 'show', 'eth0'])) as { ifindex: number }[]
    )[0] ?? {}
  const script = fileURLToPath(new URL('./arp-router.js', import.meta.url))
  const child = host.spawn(process.execPath, [script, String(ifindex), lab.mac(host)], {
    name: 'arp-router',
  })
  await child.line(/ready/, soonMs)
}

describe('asked before a take-over', { concurrency: 2 }, () => {
  test('warn and wait: a stranger has the address; refuse: FAULT until it has gone', () =>
    inLab('asked', async (lab) => {
      const { one, two, stranger } = await three(lab)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      const told = answers(lab.mac(stranger))
      const warns = startVipd(one, conf({ priority: 150, globals: check('warn') }))
      await warns.child.line(told, soonMs)
      await warns.reaches('VI_1', 'MASTER', soonMs)
      await warns.stop()
      const waits = startVipd(two, conf({ priority: 150, globals: check('wait') }))
      await waits.child.line(told, soonMs)
      await waits.reaches('VI_1', 'MASTER', soonMs)
      await waits.stop()
      const refuses = startVipd(one, conf({ priority: 150, globals: check('refuse') }), 'refuses')
      await refuses.reaches('VI_1', 'FAULT', soonMs)
      const [instance] = (await refuses.status()).instances
      assert.match(
        instance?.why ?? '',
        new RegExp(`${vip} is another machine's \\(${lab.mac(stranger)}`),
      )
      await stranger.must('ip', ['address', 'del', `${vip}/32`, 'dev', 'eth0'])
      await refuses.reaches('VI_1', 'MASTER', soonMs)
      assert.doesNotMatch(refuses.child.text, /answers for it.*answers for it/)
    }))

  test('IPv6; and a peer that takes over from a lower master, or is stopped, is asked in vain', () =>
    inLab('asked', async (lab) => {
      const { one, two, stranger } = await three(lab)
      const more = `${six}`
      const first = startVipd(one, conf({ priority: 100, globals: check('refuse'), more }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const second = startVipd(two, conf({ priority: 150, globals: check('refuse'), more }))
      await second.reaches('VI_1', 'MASTER', soonMs)
      await first.reaches('VI_1', 'BACKUP', soonMs)
      await second.stop()
      await first.reaches('VI_1', 'MASTER', soonMs)
      for (const { child } of [first, second])
        assert.doesNotMatch(child.text, /is claimed by another machine|FAULT/)
      await first.stop()
      await stranger.must('ip', ['-6', 'address', 'add', `${vip6}/64`, 'dev', 'eth0'])
      const refused = startVipd(two, conf({ priority: 150, globals: check('refuse'), more }), 'six')
      await refused.reaches('VI_1', 'FAULT', soonMs)
      const [instance] = (await refused.status()).instances
      assert.match(instance?.why ?? '', new RegExp(`${vip6} is another machine's`))
    }))
})
