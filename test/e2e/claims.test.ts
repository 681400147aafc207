/** Another machine claims the address of a master: what is reported, and what a hand-over must not look like. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vip = '172.16.80.100'
const vip6 = 'fd00:80::100'
const six = `virtual_ipaddress_excluded {\n    ${vip6}/64\n  }`

const three = async (lab: Lab) => ({
  one: await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } }),
  two: await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } }),
  stranger: await lab.host('stranger', { addresses: { eth0: ['172.16.80.9/24'] } }),
})

/** The host sends a datagram from the address to one that it has to ask for by ARP. */
async function speakFrom(host: Host, address: string, to: string): Promise<void> {
  await host.must('ip', ['route', 'replace', `${to}/32`, 'dev', 'eth0', 'src', address])
  await host.run('bash', ['-c', `echo > /dev/udp/${to}/9`])
}

type Claims = {
  readonly frames: number
  readonly reported: number
  readonly announced: number
  readonly claimants: readonly Readonly<Record<string, unknown>>[]
}

async function claimsOf(daemon: Vipd): Promise<Claims> {
  const answer = await daemon.ask('status', '--json')
  const { instances } = JSON.parse(answer.stdout) as { instances: { claims: Claims }[] }
  const [first] = instances
  assert.ok(first !== undefined)
  return first.claims
}

describe('another machine claims the address', { concurrency: 3 }, () => {
  test('it has the address and speaks from it; it tries to get it by duplicate address detection', () =>
    inLab('claims', async (lab) => {
      const { one, stranger } = await three(lab)
      const master = startVipd(one, conf({ priority: 150, more: six }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const mac = lab.mac(stranger)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      const seen = until('a claim of the address', soonMs, async () => {
        await speakFrom(stranger, vip, '172.16.80.77')
        return (await claimsOf(master)).reported > 0
      })
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
      let to = 100
      await until('a claim of the stale host', soonMs, async () => {
        to += 1
        await speakFrom(one, vip, `172.16.80.${to}`)
        return (await claimsOf(backup)).reported > 0
      })
      const { claimants } = await claimsOf(backup)
      assert.deepEqual(
        claimants.map((it) => it['mac']),
        [lab.mac(one)],
      )
    }))

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
})

describe('asked before a take-over', { concurrency: 2 }, () => {
  const check = (policy: string) => `vipd_claim_check always\n  vipd_claim_policy ${policy}`

  test('warn and wait: a stranger has the address; refuse: FAULT until it has gone', () =>
    inLab('asked', async (lab) => {
      const { one, two, stranger } = await three(lab)
      await stranger.must('ip', ['address', 'add', `${vip}/32`, 'dev', 'eth0'])
      const told = new RegExp(
        `${vip} is claimed by another machine: ${lab.mac(stranger)} on eth0 answers`,
      )
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
