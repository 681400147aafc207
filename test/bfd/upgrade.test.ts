/**
 * `vipd upgrade` with BFD sessions at 10 ms × 3: neither another vipd nor BIRD nor FRR sees one go down, and what goes on
 * is the same session: its discriminator, its source port, no poll. A neighbour that dies afterwards is missed as before.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { Bfdd } from './bfdd.ts'
import { Bird } from './bird.ts'
import {
  bfdFilter,
  keptUp,
  killAll,
  more,
  realtime,
  sameOnTheWire,
  sessionsOf,
  soonMs,
  upgraded,
} from './continuing.ts'
import type { Speaker } from './speaker.ts'

const [first, second] = ['172.16.80.1', '172.16.80.2']
const detectionMs = 30

const session = (own: string, peer: string, more = '') => `bfd_instance b {
  neighbor_ip ${peer}
  source_ip ${own}
  min_rx 10
  min_tx 10
  multiplier 3
  ${more}
}`

const isUp = (daemon: Vipd): Promise<unknown> =>
  until('the session is up at its own pace', soonMs, async () => {
    const [it] = await sessionsOf(daemon)
    return it?.state === 'Up' && it.detectionMs === detectionMs && it.transmitMs === 10
  })

describe('upgrade with BFD sessions', () => {
  test('beside vipd, twice in a row on either host; then the master is killed', async () => {
    await inLab('bfd-upgrade', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: [`${first}/24`] } })
      const two = await lab.host('two', { addresses: { eth0: [`${second}/24`] } })
      const of = (own: string, peer: string, priority: number) =>
        conf({
          ...{ priority, advertInt: 1, globals: realtime, before: session(own, peer) },
          more: 'garp_master_delay 0\n  track_bfd {\n    b takeover\n  }',
        })
      const master = startVipd(one, of(first, second, 150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, of(second, first, 100))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await Promise.all([isUp(master), isUp(backup)])
      const capture = await lab.capture({ filter: bfdFilter })
      await more(capture, 20)
      const [from, ofMaster, ofBackup] = [capture.mark, master.child.mark, backup.child.mark]
      for (const daemon of [master, master, backup, backup]) await upgraded(daemon)
      await more(capture, 200)
      keptUp(master, ofMaster)
      keptUp(backup, ofBackup)
      sameOnTheWire(capture, from, 2)

      const killedAt = backup.child.mark
      await killAll(one)
      await backup.child.line(/\(b\) Expired after 30 ms/, soonMs, killedAt)
      // By the session: the adverts would be missed a hundred times later.
      await backup.child.line(/Entering MASTER STATE/, soonMs, killedAt)
    })
  })

  const speakers: Readonly<Record<string, (host: Host) => Speaker>> = {
    BIRD: (host) =>
      new Bird(
        host,
        { own: second, peer: first, multihop: false },
        { rx: 10, tx: 10, multiplier: 3 },
      ),
    FRR: (host) =>
      new Bfdd(
        host,
        { own: second, peer: first, multihop: false },
        { rx: 10, tx: 10, multiplier: 3 },
      ),
  }
  const programs: Readonly<Record<string, string>> = { BIRD: 'bird', FRR: 'bfdd' }
  for (const [name, open] of Object.entries(speakers))
    test(`beside ${name}, twice in a row; then vipd is killed`, async () => {
      await inLab(`bfd-upgrade-${name.toLowerCase()}`, async (lab) => {
        const one = await lab.host('one', { addresses: { eth0: [`${first}/24`] } })
        const two = await lab.host('two', { addresses: { eth0: [`${second}/24`] } })
        const speaker = open(two)
        await speaker.start()
        const program = programs[name] ?? ''
        await two.must('sh', ['-c', `chrt -a -r -p 40 $(pgrep -x ${program})`])
        // Without a weight: its loss would be a fault.
        const text = conf({
          ...{ priority: 150, globals: realtime, before: session(first, second) },
          more: 'track_bfd {\n    b\n  }',
        })
        const daemon = startVipd(one, text)
        await daemon.reaches('VI_1', 'MASTER', soonMs)
        await isUp(daemon)
        const seen = async () => (await speaker.seen())?.changed
        await until('the peer is up', soonMs, async () => (await speaker.seen())?.up === true)
        const before = await seen()
        assert.ok(before !== undefined && before > 0)
        const from = daemon.child.mark
        const capture = await lab.capture({ filter: bfdFilter })
        for (let i = 0; i < 2; i++) await upgraded(daemon)
        await more(capture, 200)
        keptUp(daemon, from)
        sameOnTheWire(capture, 0, 2)
        assert.equal(await seen(), before)

        await killAll(one)
        await until('the peer misses it', soonMs, async () => (await speaker.seen())?.up === false)
      })
    })
})
