/** A warden that was stopped: the next daemon of its run directory ends it, its own daemon replaces it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from '../../src/lab/host.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 30_000
const config = conf({ priority: 150, advertInt: 0.2, globals: 'vipd_address_lifetime 60' })

/** The living one beside `other`, stopped or not. */
const wardenOf = (host: Host, other = ''): Promise<string> =>
  until('a warden runs', soonMs, async () => {
    const { stdout } = await host.run('pgrep', ['-r', 'R,S,D,T', '-x', 'vipd-warden'])
    return stdout.split('\n').find((pid) => pid !== '' && pid !== other)
  })

const lives = async (host: Host, pid: string): Promise<boolean> =>
  (await host.run('pgrep', ['-r', 'R,S,D,T', '-x', 'vipd-warden'])).stdout.split('\n').includes(pid)

describe('a stopped warden', { concurrency: 2 }, () => {
  test('never strikes the next daemon', () =>
    inLab('stale', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const first = startVipd(host, config)
      await first.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
      const stale = await wardenOf(host)
      await host.sh(`kill -STOP ${stale}`)
      await first.child.signal('SIGKILL')
      await until('the daemon is dead', soonMs, async () => {
        return (await host.run('pgrep', ['-r', 'R,S,D', '-x', 'node|vipd'])).status === 1
      })
      const capture = await lab.capture()
      const next = startVipd(host, config)
      await next.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
      assert.equal(await lives(host, stale), false, 'the new daemon leads beside the old warden')
      const from = host.changes.items.length
      const mark = capture.mark
      await host.run('sh', ['-c', `kill -CONT ${stale}`])
      for (let adverts = 0, at = mark; adverts < 5; adverts++) {
        await capture.advert('goes on', soonMs, () => true, at)
        at = capture.mark
      }
      assert.deepEqual(
        capture.adverts((a) => a.priority === 0, mark),
        [],
      )
      assert.deepEqual(host.changes.items.slice(from), [])
      assert.equal(await host.holds(vip), true)
      assert.deepEqual((await next.status()).warnings, [])
    }))

  test('is said and replaced by its daemon; the new one does its work', () =>
    inLab('frozen', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const daemon = startVipd(host, config)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
      const frozen = await wardenOf(host)
      const from = host.changes.items.length
      await host.sh(`kill -STOP ${frozen}`)
      await daemon.child.line(/The warden has not answered for \d+ s: ending it/, soonMs)
      await wardenOf(host, frozen)
      assert.equal(await lives(host, frozen), false)
      assert.deepEqual((await daemon.status()).warnings, ['the warden was lost once'])
      assert.equal(daemon.state('VI_1'), 'MASTER')
      assert.deepEqual(host.changes.items.slice(from), [])
      // Told everything by the first beat; the lifetime is too long to be what removes the address.
      await delay(1_000)
      await daemon.kill()
      await host.awaitAddress(vip, false, soonMs)
    }))
})
