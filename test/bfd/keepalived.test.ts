/** BFD sessions with the real keepalived and between two vipds: up, lost, changed while up, and a take-over by them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import type { Status, StatusBfd } from '../../src/report/status.ts'
import { conf, inLab, start } from '../e2e/pair.ts'

const soonMs = 30_000
const families = {
  IPv4: ['172.16.80.2', '172.16.80.3'],
  IPv6: ['fd00:80::2', 'fd00:80::3'],
} as const

const session = (own: string, peer: string, more = 'min_rx 200\n  min_tx 200\n  multiplier 3') =>
  `bfd_instance b {\n  neighbor_ip ${peer}\n  source_ip ${own}\n  ${more}\n}`
/** Of a take-over; else a loaded machine must lose none by itself. */
const quick = 'min_rx 100\n  min_tx 100'
const tracking = (line: string) => `track_bfd {\n    ${line}\n  }`

async function hosts(lab: Lab, addresses: readonly [string, string]) {
  const length = addresses[0].includes(':') ? 64 : 24
  const all = (one: string) => ({ addresses: { eth0: [`${one}/${length}`, ...extra(one)] } })
  // VRRP speaks IPv4 in every case.
  const extra = (one: string) =>
    length === 24 ? [] : [`172.16.80.${one.slice(one.lastIndexOf(':') + 1)}/24`]
  return [
    await lab.host('one', all(addresses[0])),
    await lab.host('two', all(addresses[1])),
  ] as const
}

const says = (daemon: Daemon, what: RegExp, from = 0) => daemon.child.line(what, soonMs, from)

async function bfdOf(host: Host, vipd: Vipd): Promise<StatusBfd> {
  const ran = await vipd.ask('status', '--json')
  const [only] = (JSON.parse(ran.stdout) as Status).bfd
  assert.ok(only, `${host.name} has a session`)
  return only
}

const stands = (host: Host, vipd: Vipd, what: string, wanted: (it: StatusBfd) => boolean) =>
  until(`the session is ${what}`, soonMs, async () => {
    const it = await bfdOf(host, vipd)
    return wanted(it) ? it : null
  })

describe('BFD', { concurrency: 3 }, () => {
  for (const [name, [own, peer]] of Object.entries(families)) {
    test(`${name}: up with keepalived; lost when it is killed; up again`, async () => {
      await inLab(`bfd-${name.toLowerCase()}`, async (lab) => {
        const [one, two] = await hosts(lab, [own, peer])
        const theirs = conf({
          priority: 90,
          before: session(peer, own, 'min_rx 120\n  min_tx 80\n  multiplier 5\n  hoplimit 255'),
        })
        const ours = conf({
          priority: 100,
          before: session(own, peer),
          more: tracking('b weight 20'),
        })
        const vipd = startVipd(one, ours)
        let keepalived = start('keepalived', two, theirs)
        await says(vipd, /^.*\(b\) Entering Up state/)
        await says(keepalived, /\(b\) Entering Up state/)
        await says(vipd, /VRRP_Instance\(VI_1\) Tracked BFD instance b is UP/)
        const up = await stands(one, vipd, 'up at its own pace', (it) => it.detectionMs === 1000)
        assert.equal(up.transmitMs, 200)
        await vipd.reaches('VI_1', 'MASTER', soonMs)
        assert.equal((await vipd.status()).instances[0]?.effectivePriority, 120)

        const killed = vipd.child.mark
        await keepalived.kill()
        await says(vipd, /\(b\) Expired after 1000 ms \(\d+ usec overdue\)/, killed)
        const expired = 'Local diagnostic - Control Detection Time Expired'
        await says(vipd, new RegExp(`Entering Down state \\(${expired}`), killed)
        await says(vipd, /Tracked BFD instance b is DOWN/, killed)
        assert.equal((await vipd.status()).instances[0]?.effectivePriority, 100)

        const from = vipd.child.output.items.length
        keepalived = start('keepalived', two, theirs)
        await says(vipd, /\(b\) Entering Up state/, from)
      })
    })
  }

  test('other intervals by a reload: it polls and stays up, on both sides', async () => {
    await inLab('bfd-poll', async (lab) => {
      const [own, peer] = families.IPv4
      const [one, two] = await hosts(lab, [own, peer])
      const ours = (more: string) => conf({ priority: 100, before: session(own, peer, more) })
      const vipd = startVipd(one, ours('min_rx 200\n  min_tx 200'))
      const theirs = session(peer, own, 'min_rx 200\n  min_tx 200\n  multiplier 4')
      const keepalived = start('keepalived', two, conf({ priority: 90, before: theirs }))
      await says(vipd, /\(b\) Entering Up state/)
      await says(keepalived, /\(b\) Entering Up state/)
      await stands(one, vipd, 'at the first pace', (it) => it.detectionMs === 800)
      vipd.configure(ours('min_rx 480\n  min_tx 600'))
      await vipd.reload()
      // Less patience and a slower pace only after F (RFC 5880 section 6.8.3), the rest at once.
      const at = (detectionMs: number, transmitMs: number) => (it: StatusBfd) =>
        it.detectionMs === detectionMs && it.transmitMs === transmitMs && it.state === 'Up'
      await stands(one, vipd, 'slower', at(1920, 600))
      vipd.configure(ours('min_rx 160\n  min_tx 160'))
      await vipd.reload()
      await stands(one, vipd, 'quicker', at(800, 200))
      assert.doesNotMatch(keepalived.child.text, /Entering Down state/)
      assert.doesNotMatch(vipd.child.text, /Entering Down state/)
    })
  })

  test('weight 0: fault until it is up, and when it is lost; passive waits to be spoken to', async () => {
    await inLab('bfd-fault', async (lab) => {
      const [own, peer] = families.IPv4
      const [one, two] = await hosts(lab, [own, peer])
      const before = session(own, peer, 'min_rx 200\n  min_tx 200\n  passive')
      const vipd = startVipd(one, conf({ priority: 100, before, more: tracking('b') }))
      await vipd.reaches('VI_1', 'FAULT', soonMs)
      const silent = await bfdOf(one, vipd)
      assert.deepEqual([silent.sent, silent.state], [0, 'Down'])
      const theirs = conf({ priority: 90, before: session(peer, own) })
      const keepalived = start('keepalived', two, theirs)
      await vipd.reaches('VI_1', 'MASTER', soonMs)
      await keepalived.kill()
      await vipd.reaches('VI_1', 'FAULT', soonMs)
    })
  })

  test('the port is keepalived’s on this host: the session fails with that reason, and nothing else', async () => {
    await inLab('bfd-port', async (lab) => {
      const [own, peer] = families.IPv4
      const [one] = await hosts(lab, [own, peer])
      const theirs = conf({
        priority: 90,
        vip: '172.16.80.101',
        before: session(own, '172.16.80.9'),
      })
      const keepalived = start('keepalived', one, theirs.replace('router_id 51', 'router_id 52'))
      await until('keepalived has the port', soonMs, async () =>
        (await one.sh('cat /proc/net/udp /proc/net/udp6')).includes(':0EC8 '),
      )
      const before = session(own, peer)
      const vipd = startVipd(one, conf({ priority: 100, before, more: tracking('b weight 5') }))
      await vipd.reaches('VI_1', 'MASTER', soonMs)
      assert.match((await bfdOf(one, vipd)).failure ?? '', /bind: EADDRINUSE/)
      await keepalived.stop()
      await stands(one, vipd, 'open after all', ({ failure }) => failure === null)
    })
  })

  test('takeover: a cut master is replaced long before its adverts are missed', async () => {
    await inLab('bfd-takeover', async (lab) => {
      const [own, peer] = families.IPv4
      const [one, two] = await hosts(lab, [own, peer])
      const of = (a: string, b: string, priority: number) =>
        conf({ priority, advertInt: 1, before: session(a, b, quick), more: tracking('b takeover') })
      const master = startVipd(one, of(own, peer, 200))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, of(peer, own, 100))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await says(backup, /\(b\) Entering Up state/)
      await until(
        'the backup hears its master',
        soonMs,
        async () => (await backup.status()).instances[0]?.master?.priority === 200,
      )
      // Taken away by a reload it says so: no loss, and nothing to take over.
      const up = backup.child.mark
      master.configure(conf({ priority: 200, advertInt: 1 }))
      await master.tryReload()
      await says(backup, /Entering Down state \(Local diagnostic - Neighbor Signaled/, up)
      master.configure(of(own, peer, 200))
      await master.tryReload()
      await says(backup, /\(b\) Entering Up state/, up)
      assert.equal(backup.transitions.items.at(-1)?.to, 'BACKUP')

      const from = backup.child.output.items.length
      await lab.cut(one)
      const lost = await says(backup, /\(b\) Expired after/, from)
      const taken = await says(backup, /\(VI_1\) Entering MASTER/, from)
      // By the adverts alone: 3 s and the skew after the last one, so never less than 2.4 s after the cut.
      assert.ok(taken.atMs - lost.atMs < 1_500, `${taken.atMs - lost.atMs} ms after the session`)
      // Both lead while they are apart; together again the better one does.
      await lab.heal(one)
      await backup.reaches('VI_1', 'BACKUP', soonMs)
    })
  })

  test('takeover: two backups act at once, and the better one alone stays master', async () => {
    await inLab('bfd-three', async (lab) => {
      const [own, peer] = families.IPv4
      const third = '172.16.80.4'
      const [one, two] = await hosts(lab, [own, peer])
      const three = await lab.host('three', { addresses: { eth0: [`${third}/24`] } })
      const second = session(own, third, quick).replace('bfd_instance b', 'bfd_instance c')
      const before = `${session(own, peer, quick)}\n${second}`
      const master = startVipd(one, conf({ priority: 200, advertInt: 1, before }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backups = ([two, three] as const).map((host, i) => {
        const it = session(i === 0 ? peer : third, own, quick)
        const more = tracking('b takeover')
        return startVipd(host, conf({ priority: 150 - 50 * i, advertInt: 1, before: it, more }))
      })
      const [better, worse] = backups
      assert.ok(better !== undefined && worse !== undefined)
      for (const backup of backups) {
        await backup.reaches('VI_1', 'BACKUP', soonMs)
        await says(backup, /\(b\) Entering Up state/)
        await until('it hears its master', soonMs, async () => {
          return (await backup.status()).instances[0]?.master?.priority === 200
        })
      }
      const wire = await lab.capture({ filter: 'ip proto 112' })
      const marks = backups.map(({ child }) => child.mark)
      await lab.cut(one)
      await better.reaches('VI_1', 'MASTER', soonMs)
      // Its session is lost at the same moment: it leads for an instant, or has already heard the better one.
      await says(worse, /\(b\) Expired after/, marks[1])
      await until('the worse one follows the better one', soonMs, async () => {
        const [it] = (await worse.status()).instances
        return it?.state === 'BACKUP' && it.master?.priority === 150
      })
      // By when they were on the wire: the sniffer may tell late what the worse one sent before.
      const settledMs = nowMs()
      const later = () => wire.adverts(({ atMs }) => atMs > settledMs)
      await until('some adverts', soonMs, () => later().length > 2)
      const senders = new Set(later().map(({ from }) => from))
      assert.deepEqual([...senders], [peer])
      const led = worse.transitions.items.filter(({ to }) => to === 'MASTER')
      assert.ok(led.length <= 1, `the worse one led ${led.length} times`)
      assert.deepEqual(await Promise.all([two, three].map((host) => host.holds('172.16.80.100'))), [
        true,
        false,
      ])
    })
  })

  test('takeover: the loss of a session with another address than the master’s changes nothing', async () => {
    await inLab('bfd-other', async (lab) => {
      const [own, peer] = families.IPv4
      const [one, two] = await hosts(lab, [own, peer])
      const third = await lab.host('three', { addresses: { eth0: ['172.16.80.4/24'] } })
      const master = startVipd(one, conf({ priority: 200, advertInt: 1 }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const router = startVipd(third, session('172.16.80.4', peer))
      const before = session(peer, '172.16.80.4')
      const backup = startVipd(
        two,
        conf({ priority: 100, advertInt: 1, before, more: tracking('b takeover') }),
      )
      await says(backup, /\(b\) Entering Up state/)
      await router.kill()
      await says(backup, /\(b\) Entering Down state/)
      const { adverts } = (await backup.status()).instances[0] ?? { adverts: { received: 0 } }
      await until('the master goes on', soonMs, async () => {
        const [it] = (await backup.status()).instances
        return (it?.adverts.received ?? 0) >= adverts.received + 3
      })
      assert.equal(backup.state('VI_1'), 'BACKUP')
    })
  })
})
