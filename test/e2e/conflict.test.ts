/** Another program of the master's host deletes the address in a loop: the peer is to serve it, where that is wished for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vip = '172.16.80.100'

const removing = (host: Host): Child =>
  host.spawn(
    'sh',
    ['-c', `while :; do ip addr del ${vip}/32 dev eth0 2>/dev/null; sleep 0.05; done`],
    { name: 'remover' },
  )

async function pair(lab: Lab, globals: string, more = '') {
  const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  const master = startVipd(one, conf({ priority: 150, globals, more }))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startVipd(two, conf({ priority: 100, globals, more: 'nopreempt' }))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  return { one, two, master, backup }
}

const warned = (daemon: Vipd, what: RegExp): Promise<true> =>
  until(`a warning like ${what}`, soonMs, async () =>
    (await daemon.status()).warnings.some((it) => what.test(it)),
  )

describe('an address is deleted in a loop', { concurrency: 2 }, () => {
  test('resign: a peer that does not preempt serves it; the better host returns when the loop has ended', () =>
    inLab('conflict', async (lab) => {
      const { one, two, master, backup } = await pair(lab, '', 'vipd_address_conflict resign')
      const loop = removing(one)
      const why = /Entering BACKUP STATE: another program removes 172\.16\.80\.100 again and again/
      await master.child.line(why, soonMs)
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await backup.child.line(/master 172\.16\.80\.2 resigned \(priority 0\)/, soonMs)
      await two.awaitAddress(vip, true, soonMs)
      await warned(master, /^VI_1 has resigned and stands by for \d+ s more: another program/)
      const [standing] = (await master.status()).instances
      assert.deepEqual([standing?.standsBy, standing?.effectivePriority], ['conflict', 1])
      await loop.stop(soonMs)
      await master.reaches('VI_1', 'MASTER', soonMs)
      await one.awaitAddress(vip, true, soonMs)
      await two.awaitAddress(vip, false, soonMs)
      await until('no warning', soonMs, async () => (await master.status()).warnings.length === 0)
    }))

  test('report: it stays master, puts the address back, and says so', () =>
    inLab('conflict', async (lab) => {
      const { one, master, backup } = await pair(lab, '')
      const loop = removing(one)
      await warned(master, /was removed 10 times in \d+ s by another program/)
      assert.equal(master.state('VI_1'), 'MASTER')
      assert.equal(backup.state('VI_1'), 'BACKUP')
      await loop.stop(soonMs)
      await one.awaitAddress(vip, true, soonMs)
      await until('no warning', soonMs, async () => (await master.status()).warnings.length === 0)
    }))
})
