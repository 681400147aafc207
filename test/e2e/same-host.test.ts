/** Two daemons on one host with one VRID on one interface: neither hears the other, so it must be said. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startKeepalived } from '../../src/lab/keepalived.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000
const addresses = { eth0: ['172.16.80.2/24'] }
const told = async (daemon: Vipd): Promise<boolean> => {
  const warning =
    /VI_1 is MASTER, but another program on this host sends adverts of VRID 51 on eth0/
  return (await daemon.status()).warnings.some((it) => warning.test(it))
}

describe('the same VRID twice on one host', { concurrency: 2 }, () => {
  test('a keepalived beside vipd: logged, and status is degraded', () =>
    inLab('beside', async (lab) => {
      const host = await lab.host('one', { addresses })
      const keepalived = startKeepalived(host, conf({ priority: 150 }))
      const daemon = startVipd(host, conf({ priority: 100 }))
      await keepalived.reaches('VI_1', 'MASTER', soonMs)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await daemon.child.line(/\(VI_1\) another program on this host sends adverts/, soonMs)
      assert.ok(await told(daemon))
      assert.equal((await daemon.ask('status')).status, 1)
    }))

  test('two vipds: both say so; other VRIDs are no concern of theirs', () =>
    inLab('twice', async (lab) => {
      const host = await lab.host('one', { addresses })
      const daemons = ['first', 'second'].map((name) =>
        startVipd(host, conf({ priority: 100 }), name),
      )
      const apart = startVipd(
        host,
        conf({ priority: 100, vip: '10.0.0.9' }).replace('51', '52'),
        'apart',
      )
      await apart.reaches('VI_1', 'MASTER', soonMs)
      for (const it of daemons) await until('both say so', soonMs, () => told(it))
      assert.doesNotMatch((await apart.status()).warnings.join(), /another program on this host/)
      assert.doesNotMatch(apart.child.text, /another program on this host/)
    }))

  test('a master and its backup on two hosts: nothing is said', () =>
    inLab('pair', async (lab) => {
      const one = await lab.host('one', { addresses })
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      const master = startVipd(one, conf({ priority: 150, advertInt: 0.05 }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, conf({ priority: 100, advertInt: 0.05 }))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      // Longer than the first look, which begins within five seconds and takes three.
      const sent = async () => (await master.status()).instances[0]?.adverts.sent ?? 0
      await until('two hundred adverts', soonMs, async () => (await sent()) > 200)
      assert.deepEqual((await master.status()).warnings, [])
    }))
})
