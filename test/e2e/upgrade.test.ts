/** `vipd upgrade`: another process goes on where the old one is, and neither a peer nor a program on this host notices. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Capture } from '../../src/lab/capture.ts'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status } from '../../src/report/status.ts'
import { conf, inLab, start } from './pair.ts'
import { compiled, listener, ordered, processes } from './upgrading.ts'

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

/** What only grows, whichever process tells it. */
async function counted(daemon: Vipd): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await daemon.ask('status', '--json')
  const { uptimeMs, engine, notify, instances, upgrades } = JSON.parse(stdout) as Status
  const [instance] = instances
  assert.ok(instance !== undefined)
  const { sent, received, heard, missed, gaps } = instance.adverts
  return {
    ...{ uptimeMs, sent, received, heard, missed, done: upgrades.done },
    gaps: gaps.at(-1)?.count ?? 0,
    verified: instance.authentication?.verified ?? 0,
    eventsRaised: engine.eventsRaised,
    wakeups: engine.wakeups.late.at(-1)?.count ?? 0,
    wakeupsMs: engine.wakeups.lateSumMs,
    scripts: notify.scripts.started,
    scriptsTook: notify.scripts.took.at(-1)?.count ?? 0,
  }
}

async function upgrade(daemon: Vipd, options: readonly string[] = ['--leave-parent']) {
  const before = await processes(daemon.host, 'vipd')
  const wardens = await processes(daemon.host, 'vipd-warden')
  const figures = await counted(daemon)
  const { status, stdout, stderr } = await daemon.ask('upgrade', ...options)
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
  const { upgrades } = await daemon.status()
  assert.equal(upgrades.running, null)
  assert.deepEqual(upgrades.last?.from.pid, Number(before[0]))
  const now = await counted(daemon)
  for (const [name, value] of Object.entries(figures))
    assert.ok((now[name] ?? -1) >= value, `${name} went back from ${value} to ${now[name]}`)
}

/** Exit statuses of commands that are given again and again while an upgrade is done. */
async function besides(daemon: Vipd) {
  const statuses = new Set<number | null>()
  const cleanups = new Set<number | null>()
  for (let done = 0; done === 0; ) {
    const { status, stdout } = await daemon.ask('status', '--json')
    statuses.add(status)
    done = (JSON.parse(stdout) as Status).upgrades.done
    cleanups.add((await daemon.ask('cleanup')).status)
  }
  return { statuses: [...statuses], cleanups: [...cleanups] }
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
  test('is refused, and the old process goes on', () =>
    inLab('refused', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
      const text = config(150)
      const daemon = startVipd(one, text)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const before = await processes(one, 'vipd')
      const changes = one.changes.items.length
      const parent = await daemon.ask('upgrade')
      assert.equal(parent.status, 1)
      assert.match(parent.stderr, /its parent \(process \d+\) would take the end/)

      daemon.configure(`${text}\n# other`)
      const changed = await daemon.ask('upgrade', '--leave-parent')
      assert.equal(changed.status, 1)
      assert.match(changed.stderr, /the configuration has been changed since it was loaded/)
      daemon.configure(text)
      assert.equal((await daemon.tryReload()).status, 0)

      assert.match(await ordered(daemon, ['/nonexistent', 'x']), /cannot be started: .*ENOENT/)
      assert.match(await ordered(daemon, ['/bin/false', 'x']), /process \d+ has ended/)

      // A version that does not run with it.
      one.write('/run/lab/broken.conf', 'vrrp_instance VI_1 {\n')
      const other = one.write(
        '/run/lab/other.mjs',
        `process.argv[process.argv.indexOf('-f') + 1] = '/run/lab/broken.conf'
        await import('${compiled('cli/run.js')}')`,
      )
      assert.match(await ordered(daemon, [process.execPath, other]), /broken\.conf:\d+/)

      // A version for which the instance is another one.
      one.write('/run/lab/moved.conf', text.replace('172.16.80.100', '172.16.80.101'))
      const moved = one.write(
        '/run/lab/moved.mjs',
        `process.argv[process.argv.indexOf('-f') + 1] = '/run/lab/moved.conf'
        await import('${compiled('cli/run.js')}')`,
      )
      assert.match(
        await ordered(daemon, [process.execPath, moved]),
        /VI_1 is another virtual router here/,
      )
      await daemon.child.line(/Upgrade refused, process \d+ goes on: .*another virtual/, soonMs)
      const { upgrades } = await daemon.status()
      assert.deepEqual([upgrades.done, upgrades.refused, upgrades.running], [0, 6, null])
      assert.match(upgrades.lastRefusal?.why ?? '', /VI_1 is another virtual router here/)

      await until('the refused process is gone', soonMs, async () => {
        const all = [await processes(one, 'vipd'), await processes(one, 'vipd-warden')] as const
        return isDeepStrictEqual(all[0], before) && all[1].length === 1
      })
      assert.equal(daemon.state('VI_1'), 'MASTER')
      assert.deepEqual(one.changes.items.slice(changes), [])
      // And it still can be.
      await upgrade(daemon)
    }))

  test('is refused as process 1, with the reason', () =>
    inLab('first', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.1/24'] } })
      const under = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
      const daemon = startVipd(one, config(150), 'vipd', under)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      const { status, stderr } = await daemon.ask('upgrade', '--leave-parent')
      assert.equal(status, 1)
      assert.match(stderr, /it is process 1 of a container, which ends with it/)
      assert.equal(daemon.state('VI_1'), 'MASTER')
    }))

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
        const [asked] = await Promise.all([besides(master), upgrade(master)])
        assert.deepEqual(asked, { statuses: [0], cleanups: [1] })
        await upgrade(master)
        assert.equal((await master.status()).upgrades.done, 2)
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

  test('with a virtual MAC address, signed adverts, nft tables and a FIFO: none of it is made anew', () =>
    inLab('upgrade-all', async (lab) => {
      const { one, two } = await pair(lab, 'vipd')
      const full = (priority: number) =>
        conf({
          ...{ priority, advertInt: intervalMs / 1000 },
          globals: 'vrrp_notify_fifo /run/lab/fifo\n  vipd_kernel_lease on',
          more: `use_vmac
  no_accept
  garp_master_delay 0
  auth_hmac {
    key 1 hex:${'a1'.repeat(32)}
    active_key 1
  }`,
        })
      const master = startVipd(one, full(150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, full(100))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const facts = async (host: Host) => {
        const kernel = await host.must('sh', [
          '-c',
          `ip -j -d link
          nft -a -s list ruleset | grep -o '# handle .*'
          stat -c %i /run/lab/fifo
          cd /proc/sys/net/ipv4/conf/eth0; cat arp_ignore arp_announce`,
        ])
        const { objects } = JSON.parse(host.read('/run/lab/vipd/owned.json') ?? '{}') as {
          readonly objects: readonly object[]
        }
        return { kernel, recorded: objects.map((it) => JSON.stringify(it)).sort() }
      }
      for (const daemon of [master, backup]) {
        const { host } = daemon
        await until('it has put everything there', soonMs, async () =>
          (await host.run('nft', ['list', 'tables'])).stdout.includes('netdev'),
        )
        const { warnings: _, ...before } = await standing(daemon)
        const kernel = await facts(host)
        const changes = host.changes.items.length
        await upgrade(daemon)
        const { warnings, ...after } = await standing(daemon)
        assert.deepEqual(after, before)
        assert.deepEqual(warnings, [])
        assert.deepEqual(host.changes.items.slice(changes), [])
        await until('the record is the new process', soonMs, async () => {
          const [pid] = await processes(host, 'vipd')
          return host.read('/run/lab/vipd/owned.json')?.includes(`"pid": ${pid}`)
        })
        assert.deepEqual(await facts(host), kernel)
      }
      for (const daemon of [master, backup]) assert.deepEqual(await daemon.errors(), {})
      await one.sh(`kill -TERM ${(await processes(one, 'vipd')).join(' ')}`)
      await backup.reaches('VI_1', 'MASTER', soonMs)
    }))

  test('of a backup, which systemd follows, and which takes over afterwards', () =>
    inLab('upgrade-backup', async (lab) => {
      const { one, two } = await pair(lab, 'vipd')
      const systemd = two.spawn('python3', ['-c', listener], { name: 'listener' })
      await systemd.line(/listening/, soonMs)
      const master = startVipd(one, config(150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const under = ['env', 'NOTIFY_SOCKET=/run/lab/notify', 'WATCHDOG_USEC=600000000']
      const backup = startVipd(two, config(100), 'vipd', under)
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await until('it has been notified', soonMs, () => two.read('/run/lab/notified') !== null)
      const before = await standing(backup)
      const mark = systemd.mark
      await upgrade(backup, [])
      const [pid] = await processes(two, 'vipd')
      await systemd.line(new RegExp(`^MAINPID=${pid}$`), soonMs, mark)
      // Of the old process and of the new one: by themselves they come each five minutes.
      const pings = () => systemd.text.match(/^WATCHDOG=1$/gm)?.length ?? 0
      await until('both have told the watchdog', soonMs, () => pings() === 3)
      assert.equal(systemd.text.includes('STOPPING'), false)
      assert.deepEqual(await standing(backup), before)
      await master.kill()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await two.awaitAddress(vip, true, soonMs)
      assert.equal((await standing(backup)).instance.transitions, before.instance.transitions + 1)
    }))
})
