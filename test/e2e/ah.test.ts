/** AH (`auth_type AH`, version 2 over IPv4) beside keepalived 2.2.7: both roles, fail-over and fail-back, replays, reloads. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inject } from './packets.ts'
import { conf, inLab, start } from './pair.ts'

const soonMs = 30_000
const ah = 'authentication {\n auth_type AH\n auth_pass 1111\n }'
const pass = ah.replace('AH', 'PASS')
const hmac = `auth_hmac {\n key 1 hex:${'a1'.repeat(32)}\n active_key 1\n }`

const text = (priority: number, more = ah): string => conf({ priority, more, version: 2 })

const hosts = async (lab: Lab) => ({
  one: await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } }),
  two: await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } }),
  capture: await lab.capture({ filter: 'ip proto 112 or ip proto 51' }),
})

type Signed = {
  readonly authentication: { readonly verified: number; readonly sequence: string } | null
  readonly rejects: Readonly<Record<string, number>>
}
const seen = async (daemon: Vipd): Promise<Signed> => {
  const [instance] = (await daemon.status()).instances
  assert.ok(instance !== undefined)
  return instance as unknown as Signed
}
const verified = async (daemon: Vipd): Promise<number> =>
  (await seen(daemon)).authentication?.verified ?? 0

/** Of a frame: IP header at 14, then the authentication header. */
const sequenceOf = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset).getUint32(14 + 20 + 8)
const protocolOf = (frame: Uint8Array): number => frame[14 + 9] ?? 0
const count = (daemon: Daemon, to: string): number =>
  daemon.transitions.items.filter((t) => t.to === to).length

/** Two that send at the same moment, as at a fail-back, use the same number: keepalived drops the other's. */
const collisions = ['VI_1/ah-replayed', 'Authentication Errors/Failure']

async function hardlyErrors(...daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    const errors = Object.entries(await daemon.errors())
    assert.ok(
      errors.every(([kind, many]) => collisions.includes(kind) && many === 1),
      `${daemon.child.name}: ${JSON.stringify(errors)}`,
    )
  }
}

/** The first advert of a master is always told; the next ones are compared in the engine. */
async function heardWithoutJavaScript(backup: Vipd): Promise<void> {
  await until('the master is known', soonMs, async () => {
    return (await backup.status()).instances[0]?.master !== null && (await verified(backup)) > 0
  })
  const before = [(await backup.status()).engine.eventsRaised, await verified(backup)] as const
  await until('adverts verified', soonMs, async () => (await verified(backup)) > before[1] + 2)
  assert.equal((await backup.status()).engine.eventsRaised, before[0])
}

describe('beside keepalived', { concurrency: 4 }, () => {
  for (const kind of ['multicast', 'unicast'] as const) {
    const to = (peer: string): string =>
      kind === 'unicast' ? `unicast_peer {\n 172.16.80.${peer}\n }\n ${ah}` : ah

    test(`${kind}: keepalived is master, stops, and comes back`, () =>
      inLab(`ah-ka-${kind}`, async (lab) => {
        const { one, two, capture } = await hosts(lab)
        const other = start('keepalived', one, text(150, to('3')))
        await other.reaches('VI_1', 'MASTER', soonMs)
        const ours = startVipd(two, text(100, to('2')))
        await ours.reaches('VI_1', 'BACKUP', soonMs)
        await heardWithoutJavaScript(ours)
        assert.equal(count(ours, 'MASTER'), 0)
        await other.stop()
        await ours.reaches('VI_1', 'MASTER', soonMs)
        const again = start('keepalived', one, text(150, to('3')))
        await again.reaches('VI_1', 'MASTER', soonMs)
        await ours.reaches('VI_1', 'BACKUP', soonMs)
        await hardlyErrors(again, ours)
        // One sequence through both daemons, and nothing without a header.
        const adverts = capture.adverts(() => true)
        assert.deepEqual([...new Set(adverts.map(({ bytes }) => protocolOf(bytes)))], [51])
        const sequences = adverts.map(({ bytes }) => sequenceOf(bytes))
        assert.ok(
          sequences.every((one, i) => i === 0 || one >= (sequences[i - 1] ?? 0)),
          sequences.join(),
        )
        const first = adverts.find(({ from }) => from === '172.16.80.3')
        const before = adverts.findLast(
          ({ from, priority }) => from === '172.16.80.2' && priority === 0,
        )
        assert.ok(first !== undefined && before !== undefined)
        assert.equal(sequenceOf(first.bytes), sequenceOf(before.bytes) + 1)
      }))

    test(`${kind}: vipd is master, is killed, and comes back`, () =>
      inLab(`ah-vipd-${kind}`, async (lab) => {
        const { one, two, capture } = await hosts(lab)
        const ours = startVipd(one, text(150, to('3')))
        await ours.reaches('VI_1', 'MASTER', soonMs)
        const other = start('keepalived', two, text(100, to('2')))
        await other.reaches('VI_1', 'BACKUP', soonMs)
        const mark = capture.mark
        await capture.advert('an advert', soonMs, ({ priority }) => priority === 150, mark)
        assert.equal(count(other, 'MASTER'), 0)
        await ours.kill()
        // The warden's words, signed by it.
        const zero = await capture.advert('priority 0', soonMs, ({ priority }) => priority === 0)
        assert.equal(protocolOf(zero.bytes), 51)
        await other.reaches('VI_1', 'MASTER', soonMs)
        const again = startVipd(one, text(150, to('3')), 'again')
        await again.reaches('VI_1', 'MASTER', soonMs)
        await other.reaches('VI_1', 'BACKUP', soonMs)
        await hardlyErrors(again, other)
      }))
  }
})

describe('what is not believed', () => {
  test('a recorded advert, a forged one, a router with another password, one without a header', () =>
    inLab('ah-forged', async (lab) => {
      const { one, two, capture } = await hosts(lab)
      const master = startVipd(one, text(150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, text(100))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const recorded = await capture.advert('an advert', soonMs, (a) => a.priority === 150)
      await master.stop()
      await backup.reaches('VI_1', 'MASTER', soonMs)
      await inject(one, 'eth0', [recorded.bytes, recorded.bytes])
      await backup.child.line(/sequence number already processed, from 172\.16\.80\.2/, soonMs)
      const forged = Uint8Array.from(recorded.bytes)
      forged[14 + 44 + 2] = 255
      await inject(one, 'eth0', [forged])
      await backup.child.line(/invalid IPSEC HMAC-MD5 value from 172\.16\.80\.2/, soonMs)
      const { rejects } = await seen(backup)
      assert.deepEqual([rejects['ah-replayed'], rejects['ah-invalid']], [2, 1])
      assert.deepEqual([backup.state('VI_1'), count(backup, 'MASTER')], ['MASTER', 1])
      const other = start('keepalived', one, text(150, ah.replace('1111', '1112')))
      await other.reaches('VI_1', 'MASTER', soonMs)
      await until('it is rejected', soonMs, async () => {
        return ((await seen(backup)).rejects['ah-invalid'] ?? 0) > 1
      })
      const warned = await until('a warning', soonMs, async () => {
        return (await backup.status()).warnings.find((it) => it.includes('ignores the adverts'))
      })
      assert.match(
        warned,
        /VI_1 is MASTER and ignores the adverts of 172\.16\.80\.2 \(ah-invalid\)/,
      )
      await other.stop()
      const unsigned = startVipd(one, text(150, pass), 'unsigned')
      await unsigned.reaches('VI_1', 'MASTER', soonMs)
      await unsigned.child.line(
        /172\.16\.80\.3 sends .* with an authentication header on eth0, and this instance is without/,
        soonMs,
      )
    }))
})

test('reloads from PASS to AH to auth_hmac: the pair ends with one master each time', () =>
  inLab('ah-reload', async (lab) => {
    const { one, two, capture } = await hosts(lab)
    const master = startVipd(one, text(150, pass))
    await master.reaches('VI_1', 'MASTER', soonMs)
    const backup = startVipd(two, text(100, pass))
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    for (const [more, protocol] of [
      [ah, 51],
      [hmac, 112],
      [ah, 51],
      [pass, 112],
    ] as const) {
      // The master first, so that a backup that hears nothing for a moment finds it there in time.
      for (const [daemon, priority] of [
        [master, 150],
        [backup, 100],
      ] as const) {
        daemon.configure(text(priority, more))
        const answer = await daemon.tryReload()
        assert.equal(answer.status, 0, answer.text)
      }
      const mark = capture.mark
      await until(`${more}: one master`, soonMs, async () => {
        const [it] = (await backup.status()).instances
        const heard = capture.adverts(({ from }) => from === '172.16.80.2', mark).length
        return it?.state === 'BACKUP' && it.master?.address === '172.16.80.2' && heard > 1
      })
      const frames = capture.adverts(({ from }) => from === '172.16.80.2', mark)
      assert.deepEqual([...new Set(frames.map(({ bytes }) => protocolOf(bytes)))], [protocol])
      assert.equal(master.state('VI_1'), 'MASTER')
    }
    assert.deepEqual([await master.errors(), await backup.errors()], [{}, {}])
  }))
