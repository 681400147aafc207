/** What is never muted: what a backup forwards to the address, a real server with the address on lo, an address that was given up. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Client } from '../../src/lab/client.ts'
import { serveWeb } from '../../src/lab/serving.ts'
import { nowMs } from '../../src/lab/wait.ts'
import { inLab } from '../e2e/pair.ts'
import { gates, multicast, openPair, opens, passes, reachesLease, soonMs, strike } from './pair.ts'

const { vip } = multicast

describe('never muted', { concurrency: 2 }, () => {
  test('what a host forwards to the address: as a backup, and with all its processes killed as a master', () =>
    inLab('forwards', async (lab) => {
      const all = await openPair(lab, multicast)
      const { one, two, desk, master, claims } = all
      await lab.connect(two, 'eth1', ['172.16.81.3/24'])
      await two.sh('sysctl -qw net.ipv4.ip_forward=1')
      for (const host of [one, desk]) await host.sh('ip route add 172.16.81.0/24 via 172.16.80.3')
      const far = await lab.host('far', { addresses: { eth1: ['172.16.81.9/24'] } })
      await far.sh('ip route add 172.16.80.0/24 via 172.16.81.3')
      await serveWeb(one)
      const client = Client.start(far, vip)
      await client.answeredBy('one', soonMs)
      // It leads while the master stands still, and loses all its processes then: it mutes the address, and forwards.
      await passes(lab, claims, [one, two], await strike(master, 'SIGSTOP'), 200)
      await strike(all.backup, 'SIGKILL')
      await strike(master, 'SIGCONT')
      await reachesLease(master, 'answers')
      assert.match(await gates(two), /elements/, 'muted')
      await two.sh(`ip address delete ${vip}/24 dev eth0; ip neigh flush dev eth0`)
      assert.match(await gates(two), /elements/, 'still muted')
      await client.answeredBy('one', soonMs)
    }))

  test('a real server that has the address on lo, also while its ARP is muted', () =>
    inLab('server', async (lab) => {
      const { one, two, master, claims, backup } = await openPair(lab, multicast)
      await two.sh(
        `sysctl -qw net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2; ip address add ${vip}/32 dev lo`,
      )
      await serveWeb(two)
      await passes(lab, claims, [one, two], await strike(master, 'SIGSTOP'), 200)
      await strike(backup, 'SIGKILL')
      await strike(master, 'SIGCONT')
      await reachesLease(master, 'answers')
      // As a balancer that forwards by MAC address does it.
      const far = await lab.host('balancer', { addresses: { eth0: ['172.16.80.8/24'] } })
      await far.sh(`ip neigh replace ${vip} lladdr ${lab.mac(two)} dev eth0`)
      const client = Client.start(far, vip)
      await client.answeredBy('two', soonMs)
      assert.match(await gates(two), /elements/, 'muted')
      const mutedMs = nowMs()
      await claims.answeredBy(lab.mac(one), soonMs, mutedMs)
      const answers = claims.since(mutedMs).map(({ mac }) => mac)
      assert.ok(
        answers.every((mac) => mac === lab.mac(one)),
        `ARP is: ${answers}`,
      )
      assert.ok(await two.holds(vip))
    }))

  test('an address that was given up: another program may set it at once', () =>
    inLab('given', async (lab) => {
      const { one, two, master, backup, claims } = await openPair(lab, multicast)
      assert.match(await gates(one), /elements/)
      const handed = await master.ask('failover', 'VI_1')
      assert.equal(handed.status, 0, handed.stderr)
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await one.awaitAddress(vip, false, soonMs)
      await opens(one)
      const fromMs = nowMs()
      await one.sh(`ip address add ${vip}/24 dev eth0`)
      await claims.answeredBy(lab.mac(one), soonMs, fromMs)
      await one.sh(`ip address delete ${vip}/24 dev eth0`)
      // A backup that stops, as well.
      await backup.stop(soonMs)
      assert.equal(await gates(two), '')
    }))
})
