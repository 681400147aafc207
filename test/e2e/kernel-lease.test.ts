/** The kernel lease: what becomes of an address when all processes of its holder are killed, or stand still, at once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Claims } from '../../src/lab/claims.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { familyOf } from '../../src/lab/trial.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const vip = '172.16.80.100'
const soonMs = 30_000

type Pair = {
  readonly one: Host
  readonly two: Host
  readonly master: Vipd
  readonly backup: Vipd
  readonly claims: Claims
}

async function pair(lab: Lab): Promise<Pair> {
  const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
  const globals = 'vipd_kernel_lease on'
  const master = startVipd(one, conf({ priority: 150, advertInt: 0.1, globals }))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startVipd(two, conf({ priority: 140, advertInt: 0.1, globals }))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  const claims = await Claims.open(lab, desk, { own: '172.16.80.9', address: vip })
  return { one, two, master, backup, claims }
}

describe('all processes of the master at once', () => {
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
    test(`${signal}: no answer of two holders`, (t) =>
      inLab('lease', async (lab) => {
        const { one, two, master, claims } = await pair(lab)
        const all = familyOf(await master.child.pid())
        assert.ok(all.length >= 2, 'the daemon and its warden')
        const fromMs = nowMs()
        for (const pid of all) process.kill(pid, signal)
        await claims.answeredBy(lab.mac(two), soonMs, fromMs)
        await until('the new master answers for a second', soonMs, () =>
          claims
            .since(fromMs)
            .some(({ mac, atMs }) => mac === lab.mac(two) && atMs > fromMs + 1_500),
        )
        const change = claims.change(lab.mac(one), lab.mac(two), fromMs)
        t.diagnostic(JSON.stringify({ ...change, fromMs }))
        t.diagnostic(
          `last ${(change.lastOldMs - fromMs).toFixed(1)} first ${(change.firstNewMs - fromMs).toFixed(1)}`,
        )
        assert.equal(change.twoHolders, 0)
      }))
})
