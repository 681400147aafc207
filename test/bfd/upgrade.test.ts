/**
 * `vipd upgrade` with BFD sessions at 10 ms × 3: neither another vipd nor BIRD nor FRR sees one go down, and what goes on
 * is the same session: its discriminator, its source port, no poll. A neighbour that dies afterwards is missed as before.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { Host } from '../../src/lab/host.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { Status, StatusBfd } from '../../src/report/status.ts'
import { decodeBfd } from '../../src/wire/bfd.ts'
import { conf, inLab } from '../e2e/pair.ts'
import { Bfdd } from './bfdd.ts'
import { Bird } from './bird.ts'
import type { Speaker } from './speaker.ts'

const soonMs = 45_000
const [first, second] = ['172.16.80.1', '172.16.80.2']
const detectionMs = 30
/** Also on a machine that has other things to do. */
const realtime = 'vrrp_rt_priority 50\n  vrrp_no_swap'

const session = (own: string, peer: string, more = '') => `bfd_instance b {
  neighbor_ip ${peer}
  source_ip ${own}
  min_rx 10
  min_tx 10
  multiplier 3
  ${more}
}`

async function sessionOf(daemon: Vipd): Promise<StatusBfd> {
  const { stdout } = await daemon.ask('status', '--json')
  const [only] = (JSON.parse(stdout) as Status).bfd
  assert.ok(only !== undefined)
  return only
}

const isUp = (daemon: Vipd): Promise<unknown> =>
  until('the session is up at its own pace', soonMs, async () => {
    const it = await sessionOf(daemon)
    return it.state === 'Up' && it.detectionMs === detectionMs && it.transmitMs === 10
  })

async function upgraded(daemon: Vipd): Promise<void> {
  const before = await sessionOf(daemon)
  const { status, stdout, stderr } = await daemon.ask('upgrade', '--leave-parent')
  assert.equal(status, 0, `${stdout}${stderr}`)
  const after = await sessionOf(daemon)
  const { state, localDiagnostic, transitions, rejects, badTtl } = after
  assert.deepEqual(
    { state, localDiagnostic, transitions, rejects, badTtl },
    {
      state: 'Up',
      localDiagnostic: before.localDiagnostic,
      transitions: before.transitions,
      rejects: before.rejects,
      badTtl: before.badTtl,
    },
  )
  assert.ok(after.received > before.received && after.sent > before.sent, 'it counts on')
}

const linesOf = ({ child }: Vipd, from: number): readonly string[] =>
  child.output.items.slice(from).map(({ text }) => text)

/** Nothing was lost since that line, and no instance changed. */
function keptUp(daemon: Vipd, from: number): void {
  const changes = linesOf(daemon, from).filter((text) =>
    /Entering (Down|Init|Up|MASTER|BACKUP|FAULT)|Expired after/.test(text),
  )
  assert.deepEqual(changes, [])
}

/** What each host sent on the wire since that frame was of one session that goes on. */
function sameOnTheWire(capture: Capture, from: number): void {
  // Behind Ethernet; the lab's IPv4 packets have no options.
  const [sourceAt, portAt, payloadAt] = [14 + 12, 14 + 20, 14 + 20 + 8]
  const seen = new Map<number, Set<string>>()
  for (const { bytes } of capture.frames.items.slice(from)) {
    const packet = decodeBfd(bytes.subarray(payloadAt))
    assert.ok(packet.ok)
    const { myDiscriminator, yourDiscriminator, state, poll, final, desiredMinTxUs } = packet.value
    const port = Buffer.from(bytes).readUInt16BE(portAt)
    const what = { port, myDiscriminator, yourDiscriminator, state, poll, final, desiredMinTxUs }
    const host = bytes[sourceAt + 3] ?? 0
    seen.set(host, (seen.get(host) ?? new Set()).add(JSON.stringify(what)))
  }
  for (const [host, packets] of seen)
    assert.equal(packets.size, 1, `.${host} sent ${[...packets].join('; ')}`)
  assert.deepEqual([...seen.keys()].toSorted(), [1, 2])
}

/** Packets go on in both directions. */
const more = (capture: Capture, count: number): Promise<unknown> => {
  const from = capture.mark
  return until('packets go on', soonMs, () => capture.mark >= from + count)
}

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
      const capture = await lab.capture({ filter: 'udp port 3784' })
      await more(capture, 20)
      const [from, ofMaster, ofBackup] = [capture.mark, master.child.mark, backup.child.mark]
      for (const daemon of [master, master, backup, backup]) await upgraded(daemon)
      await more(capture, 200)
      keptUp(master, ofMaster)
      keptUp(backup, ofBackup)
      sameOnTheWire(capture, from)

      const killedAt = backup.child.mark
      const { stdout } = await one.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd'])
      await one.must('kill', ['-KILL', ...stdout.trim().split('\n')])
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
        assert.ok(before !== undefined && before !== '')
        const from = daemon.child.mark
        const capture = await lab.capture({ filter: 'udp port 3784' })
        for (let i = 0; i < 2; i++) await upgraded(daemon)
        await more(capture, 200)
        keptUp(daemon, from)
        sameOnTheWire(capture, 0)
        assert.equal(await seen(), before)

        const { stdout } = await one.run('pgrep', ['-r', 'R,S,D', '-x', 'vipd'])
        await one.must('kill', ['-KILL', ...stdout.trim().split('\n')])
        await until('the peer misses it', soonMs, async () => (await speaker.seen())?.up === false)
      })
    })
})
