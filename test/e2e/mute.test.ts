/** A master none of whose adverts leaves the host: its peer takes over, and both hold the address. It must not look well. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const muteLine =
  /none of its adverts has left this host for [\d.]+ s \(send\w*: EPERM\): does a firewall/

const refuse = (host: Host): Promise<unknown> =>
  host.sh(`nft -f - <<'RULES'
table ip deny {
  chain out {
    type filter hook output priority 0
    ip protocol 112 drop
  }
}
RULES`)
const allow = (host: Host): Promise<unknown> => host.sh('nft delete table ip deny')

const warnings = async (daemon: Vipd): Promise<readonly string[]> =>
  (await daemon.status()).warnings

async function pair(lab: Lab, globals: string) {
  const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  const master = startVipd(one, conf({ priority: 150, globals }))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startVipd(two, conf({ priority: 100, globals }))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  return { one, master, backup }
}

describe('a firewall refuses all adverts of a master', { concurrency: 2 }, () => {
  test('report: it stays master, degraded, says why, and that it is over', () =>
    inLab('mute', async (lab) => {
      const { one, master, backup } = await pair(lab, '')
      await refuse(one)
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await master.child.line(muteLine, soonMs)
      assert.ok(
        (await warnings(master)).some((it) => /^VI_1 is MASTER, but/.test(it) && muteLine.test(it)),
      )
      assert.equal(master.state('VI_1'), 'MASTER')
      await allow(one)
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await master.child.line(/its adverts leave this host again/, soonMs)
      await until('no warning', soonMs, async () => (await warnings(master)).length === 0)
    }))

  test('resign: FAULT, one holder; and master again when it can be heard', () =>
    inLab('resigns', async (lab) => {
      const { one, master, backup } = await pair(lab, 'vipd_mute_master resign')
      await refuse(one)
      await master.child.line(/Entering FAULT STATE: none of its adverts left this host/, soonMs)
      await one.awaitAddress('172.16.80.100', false, soonMs)
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await allow(one)
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await master.reaches('VI_1', 'MASTER', soonMs)
      await until('no warning', soonMs, async () => (await warnings(master)).length === 0)
    }))
})
