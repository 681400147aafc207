/** The main thread stands still: for less than its lease nothing happens, for longer the engine gives up the lead. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { conf, inLab } from './pair.ts'

const advertInt = 0.1
/** Well beyond the 361 ms after which a backup of priority 100 takes over. */
const stallMs = 1_500

const module = new URL('./stall.js', import.meta.url).href

/** A daemon whose main thread can be stopped; `lease` in seconds. */
function stallable(host: Host, priority: number, lease: number): Vipd {
  const globals = `vipd_liveness ${lease}`
  const options = [`NODE_OPTIONS=--import=${module}`, `VIPD_TEST_STALL_MS=${stallMs}`]
  return startVipd(host, conf({ priority, advertInt, globals }), 'vipd', ['env', ...options])
}

async function stall(daemon: Vipd, meanwhile: () => Promise<void>): Promise<void> {
  const from = daemon.child.mark
  await daemon.child.signal('SIGUSR2')
  await daemon.child.line(/stall begins/, 60_000, from)
  await meanwhile()
  await daemon.child.line(/stall is over/, 60_000, from)
}

async function pair(lab: Lab, lease: number) {
  const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  const master = stallable(one, 150, lease)
  await master.reaches('VI_1', 'MASTER', 60_000)
  const backup = stallable(two, 100, lease)
  await backup.reaches('VI_1', 'BACKUP', 60_000)
  return { master, backup, capture: await lab.capture({ filter: 'ip proto 112' }) }
}

const nothing = async () => {}

describe('a main thread that stands still', { concurrency: 3 }, () => {
  test('shorter than the lease: no advert is missed, and nothing changes hands', () =>
    inLab('stall', async (lab) => {
      const { master, backup, capture } = await pair(lab, 6)
      const from = capture.mark
      await stall(master, nothing)
      await stall(backup, nothing)
      await backup.status()
      const sent = capture.adverts(() => true, from)
      assert.ok(sent.length > (2 * stallMs) / 1_000 / advertInt - 3, `${sent.length} adverts`)
      assert.deepEqual([...new Set(sent.map((a) => a.priority))], [150])
      assert.equal(backup.transitions.items.filter((t) => t.to === 'MASTER').length, 0)
    }))

  test('a backup that stands still does not take over from a master whose advert changes meanwhile', () =>
    inLab('stall-news', async (lab) => {
      const { master, backup, capture } = await pair(lab, 6)
      const from = capture.mark
      await stall(backup, async () => {
        master.configure(conf({ priority: 160, advertInt, globals: 'vipd_liveness 6' }))
        assert.equal((await master.tryReload()).status, 0)
        await capture.advert('the changed advert', 60_000, (a) => a.priority === 160, from)
      })
      const [instance] = (await backup.status()).instances
      assert.deepEqual([instance?.state, instance?.master?.priority], ['BACKUP', 160])
      assert.deepEqual(
        capture.adverts((a) => a.priority === 100, from),
        [],
      )
      assert.equal(backup.transitions.items.filter((t) => t.to === 'MASTER').length, 0)
    }))

  test('longer than the lease: the engine resigns alone, the peer takes over, the best one comes back', () =>
    inLab('stall-long', async (lab) => {
      const { master, backup, capture } = await pair(lab, 0.5)
      const from = capture.mark
      await stall(master, async () => {
        const zero = await capture.advert('the resignation', 60_000, (a) => a.priority === 0, from)
        const first = await capture.advert('the peer', 60_000, (a) => a.priority === 100, from)
        assert.ok(first.atMs > zero.atMs)
      })
      await backup.reaches('VI_1', 'MASTER', 60_000)
      await master.reaches('VI_1', 'MASTER', 60_000)
      await backup.reaches('VI_1', 'BACKUP', 60_000)
      const causes = master.transitions.items.map(({ text }) => text)
      assert.match(causes.join('\n'), /the main thread stopped answering, listening first/)
    }))
})
