/** `vipd upgrade`: another process goes on where the old one is, and neither a peer nor a program on this host notices. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab, start } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 60_000
const intervalMs = 100
const checked = `
vrrp_script chk {
  script "/bin/true"
  interval 1
  rise 4
}
`
const watched = `garp_master_delay 0
  track_script { chk }
  notify "/bin/sh -c 'echo notified >> /run/lab/notified'"`

const config = (priority: number, of: DaemonKind = 'vipd'): string =>
  of === 'vipd'
    ? conf({ priority, advertInt: intervalMs / 1000, before: checked, more: watched })
    : conf({ priority, advertInt: intervalMs / 1000, more: 'garp_master_delay 0' })

/** The processes of the daemon and its warden, by name. */
async function processes(host: Host, name: 'vipd' | 'vipd-warden'): Promise<readonly string[]> {
  const { stdout } = await host.run('pgrep', ['-r', 'R,S,D', '-x', name])
  return stdout.split('\n').filter((pid) => pid !== '')
}

async function upgrade(daemon: Vipd): Promise<void> {
  const before = await processes(daemon.host, 'vipd')
  const wardens = await processes(daemon.host, 'vipd-warden')
  const { status, stdout, stderr } = await daemon.ask('upgrade', '--leave-parent')
  assert.equal(status, 0, `${stdout}${stderr}`)
  assert.match(stdout, /^vipd \S+ \(process \d+\) goes on in place of vipd \S+ \(process \d+\)\n$/)
  await until('the old processes are gone', soonMs, async () => {
    const [now, guards] = [
      await processes(daemon.host, 'vipd'),
      await processes(daemon.host, 'vipd-warden'),
    ]
    const fresh = now.every((pid) => !before.includes(pid))
    return now.length === 1 && guards.length === 1 && fresh && guards[0] !== wardens[0]
  })
}

/** What nothing may have changed in an upgrade. */
async function standing(daemon: Vipd) {
  const { instances, checks, warnings } = await daemon.status()
  const [instance] = instances
  assert.ok(instance !== undefined)
  const { state, effectivePriority, transitions, why, rejects } = instance
  return {
    instance: { state, effectivePriority, transitions, why, rejects },
    checks: checks.map(({ name, good }) => ({ name, good })),
    warnings,
    notified: daemon.host.read('/run/lab/notified'),
    addresses: await daemon.host.addresses(),
  }
}

/** Adverts of a master go on in their phase: none twice, none of priority 0, and no announcement. */
function judge(capture: Capture, from: number, sender: string): void {
  const frames = capture.frames.items.slice(from)
  assert.deepEqual(
    frames.filter((it) => it.kind === 'arp' && it.gratuitous),
    [],
    'announced again',
  )
  const adverts = capture.adverts(() => true, from)
  assert.deepEqual(
    adverts.filter((it) => it.from !== sender || it.priority === 0),
    [],
  )
  const [first, last] = [adverts[0], adverts.at(-1)]
  assert.ok(first !== undefined && last !== undefined)
  const turns = Math.round((last.atMs - first.atMs) / intervalMs)
  assert.equal(adverts.length, turns + 1, 'an advert more, or less, than there were turns')
}

async function pair(lab: Lab, peer: DaemonKind) {
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name, i) =>
      lab.host(name, { addresses: { eth0: [`172.16.80.${i + 1}/24`] } }),
    ),
  )
  assert.ok(one !== undefined && two !== undefined)
  return { one, two, peer }
}

const adverts = async (capture: Capture, count: number) => {
  for (let i = 0; i < count; i++) await capture.advert('goes on', soonMs, () => true, capture.mark)
}

describe('upgrade in place', { concurrency: 2 }, () => {
  for (const peer of ['vipd', 'keepalived'] as const)
    test(`of the master, beside ${peer}`, () =>
      inLab(`upgrade-${peer}`, async (lab) => {
        const { one, two } = await pair(lab, peer)
        const master = startVipd(one, config(150))
        await master.reaches('VI_1', 'MASTER', soonMs)
        const backup = start(peer, two, config(100, peer))
        await backup.reaches('VI_1', 'BACKUP', soonMs)
        await until('its check is good', soonMs, async () => {
          const [check] = (await master.status()).checks
          return check?.good === true && one.read('/run/lab/notified') !== null
        })
        const capture = await lab.capture()
        await adverts(capture, 3)
        const before = await standing(master)
        const changes = one.changes.items.length
        const peers = backup.transitions.items.length
        const mark = capture.mark
        await upgrade(master)
        await upgrade(master)
        await adverts(capture, 5)
        judge(capture, mark, '172.16.80.1')
        assert.deepEqual(await standing(master), before)
        assert.deepEqual(one.changes.items.slice(changes), [])
        assert.equal(backup.transitions.items.length, peers)
        // It leads as any other: the peer takes over from it, and its own warden cleans up after it.
        await one.sh(`kill -KILL ${(await processes(one, 'vipd')).join(' ')}`)
        await backup.reaches('VI_1', 'MASTER', soonMs)
        await one.awaitAddress(vip, false, soonMs)
      }))

  test('of a backup, which takes over afterwards', () =>
    inLab('upgrade-backup', async (lab) => {
      const { one, two } = await pair(lab, 'vipd')
      const master = startVipd(one, config(150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, config(100))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await until('it has been notified', soonMs, () => two.read('/run/lab/notified') !== null)
      const before = await standing(backup)
      await upgrade(backup)
      assert.deepEqual(await standing(backup), before)
      await master.kill()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await two.awaitAddress(vip, true, soonMs)
      assert.equal((await standing(backup)).instance.transitions, before.instance.transitions + 1)
    }))
})
