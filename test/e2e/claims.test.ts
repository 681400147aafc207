/** Another machine claims the address of a master: what is reported, and what a hand-over must not look like. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import {
  answers,
  check,
  claimed,
  claimsOf,
  pastClaims,
  six,
  soonMs,
  three,
  vip,
  vip6,
} from './claiming.ts'
import { conf, inLab } from './pair.ts'

describe('another machine claims the address', { concurrency: 3 }, () => {
  test('it has the address and speaks from it; it tries to get it by duplicate address detection', () =>
    inLab('claims', async (lab) => {
      const { one, stranger } = await three(lab)
      const kept = conf({ priority: 150, more: six, globals: 'vipd_history /run/lab/kept' })
      const master = startVipd(one, kept)
      await master.reaches('VI_1', 'MASTER', soonMs)
      const mac = lab.mac(stranger)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      const seen = claimed(master, stranger)
      await master.child.line(
        new RegExp(`\\(VI_1\\) ${vip} is claimed by another machine: ${mac} on eth0 uses it`),
        soonMs,
      )
      await seen
      const found = await claimsOf(master)
      assert.deepEqual([found.reported, found.announced], [1, 1])
      const [claimant] = found.claimants
      assert.deepEqual(
        [claimant?.['address'], claimant?.['mac'], claimant?.['interface'], claimant?.['how']],
        [vip, mac, 'eth0', 'used'],
      )
      const { warnings } = await master.status()
      assert.ok(warnings.some((it) => it.includes(`${vip} is claimed by another machine: ${mac}`)))
      await stranger.must('sysctl', ['-w', 'net.ipv6.conf.eth0.accept_dad=1'])
      await stranger.must('ip', ['-6', 'address', 'add', `${vip6}/64`, 'dev', 'eth0'])
      await master.child.line(
        new RegExp(`\\(VI_1\\) ${vip6} is claimed by another machine: ${mac} on eth0 asks whether`),
        soonMs,
      )
      assert.equal(master.state('VI_1'), 'MASTER')
      assert.equal((await claimsOf(master)).announced, 1)
      await master.stop()
      const next = startVipd(one, kept)
      await next.reaches('VI_1', 'MASTER', soonMs)
      const [used, probed] = await pastClaims(next)
      assert.deepEqual(
        [used, probed].map((it) => [it?.address, it?.mac, it?.how, it?.announced]),
        [
          [vip, mac, 'used', 1],
          [vip6, mac, 'probed', 0],
        ],
      )
      assert.ok((used?.count ?? 0) > 0)
      const { stdout } = await next.ask('history', 'VI_1')
      const order = ['-> MASTER', `${vip} claimed by ${mac}`, '-> STOPPED', '-> MASTER']
      assert.match(stdout, new RegExp(order.join('[^]*')))
    }))

  test('the master of before was killed, and its kernel still uses the address', () =>
    inLab('claims', async (lab) => {
      const { one, two } = await three(lab)
      const stale = startKeepalived(one, conf({ priority: 150 }))
      await stale.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, conf({ priority: 100 }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await one.awaitAddress(vip, true, soonMs)
      await stale.kill()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      assert.ok(await one.holds(vip), 'keepalived has left it')
      await claimed(backup, one)
      const { claimants } = await claimsOf(backup)
      assert.deepEqual(
        claimants.map((it) => it['mac']),
        [lab.mac(one)],
      )
    }))

  test('with the MAC address of the master, copied', () =>
    inLab('same-mac', async (lab) => {
      const { one, stranger } = await three(lab)
      const master = startVipd(one, conf({ priority: 150, globals: 'vipd_address_claim defend' }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const mac = lab.mac(one)
      await stranger.must('ip', ['link', 'set', 'eth0', 'address', mac])
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      await claimed(master, stranger)
      await master.child.line(
        new RegExp(
          `${vip} is claimed by another machine with the MAC address of this host.* ${mac}`,
        ),
        soonMs,
      )
      const { announced, claimants } = await claimsOf(master)
      assert.equal(announced, 0)
      assert.deepEqual(
        claimants.map((it) => [it['mac'], it['sameMac'], it['how']]),
        [[mac, true, 'used']],
      )
    }))
})

describe('asked before a take-over', () => {
  test('a stranger has the address: warn leads, refuse is FAULT', () =>
    inLab('asked', async (lab) => {
      const { one, two, stranger } = await three(lab)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      const warns = startVipd(one, conf({ priority: 150, globals: check('warn') }))
      await warns.child.line(answers(lab.mac(stranger)), soonMs)
      await warns.reaches('VI_1', 'MASTER', soonMs)
      await warns.stop()
      const refuses = startVipd(two, conf({ priority: 150, globals: check('refuse') }))
      await refuses.reaches('VI_1', 'FAULT', soonMs)
      const [instance] = (await refuses.status()).instances
      assert.match(
        instance?.why ?? '',
        new RegExp(`${vip} is another machine's \\(${lab.mac(stranger)}`),
      )
    }))
})
