/** `vipd upgrade` while the table stands: the rules are the same ones, and the kernel counts on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import { inLab } from '../e2e/pair.ts'
import { leaseOf, multicast, openPair, passes, reachesLease, soonMs, strike } from './pair.ts'

/** Of the table, its chains, sets and rules. */
async function handles(host: Host): Promise<readonly string[]> {
  const text = await host.sh('nft -a list ruleset')
  return text.split('\n').flatMap((line) => /^(.*?)\s*# handle (\d+)$/.exec(line)?.slice(1) ?? [])
}

async function upgrade(vipd: Vipd): Promise<void> {
  const { status, stdout, stderr } = await vipd.ask('upgrade', '--leave-parent')
  assert.equal(status, 0, `${stdout}${stderr}`)
}

/** Of the process that goes on: the first one was the child, and has ended. */
async function killAll(host: Host): Promise<number> {
  const fromMs = nowMs()
  await host.sh('pkill -KILL -x vipd; pkill -KILL -x vipd-warden; true')
  return fromMs
}

describe('vipd upgrade', { concurrency: 2 }, () => {
  test('of the master: the table stays, the kernel answers on; then it is killed whole', () =>
    inLab('upmaster', async (lab) => {
      const { one, two, master, claims } = await openPair(lab, multicast)
      await reachesLease(master, 'answers')
      const before = await handles(one)
      assert.ok(before.length > 20)
      const begunMs = nowMs()
      await upgrade(master)
      assert.deepEqual(await handles(one), before, 'the same objects')
      assert.equal(await leaseOf(master), 'answers')
      const others = claims.since(begunMs).filter(({ mac }) => mac !== lab.mac(one))
      assert.deepEqual(others, [], 'no other host has answered')
      await passes(lab, claims, [one, two], await killAll(one))
    }))

  test('of the backup: the table stays; it takes over from a master that is killed, and is muted when it is killed itself', () =>
    inLab('upbackup', async (lab) => {
      const { one, two, master, backup, claims } = await openPair(lab, multicast)
      const vipd = backup as Vipd
      await reachesLease(vipd, 'waiting')
      const before = await handles(two)
      await upgrade(vipd)
      assert.deepEqual(await handles(two), before, 'the same objects')
      await passes(lab, claims, [one, two], await strike(master, 'SIGKILL'))
      assert.equal(await leaseOf(vipd), 'answers')
      const fromMs = await killAll(two)
      await until('it has fallen silent', soonMs, () => {
        const last = claims.since(fromMs).at(-1)?.atMs ?? fromMs
        return nowMs() > last + 2_000
      })
      const [lastMs = fromMs] = claims
        .since(fromMs)
        .map(({ atMs }) => atMs)
        .slice(-1)
      assert.ok(lastMs < fromMs + 1_000, `answered until ${lastMs - fromMs} ms after it was killed`)
      assert.ok(await two.holds(multicast.vip), 'the address is there still')
    }))
})
