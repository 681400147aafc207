/** Bridges, and hosts on which there is no nft or no egress hook. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Claims } from '../../src/lab/claims.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { nowMs } from '../../src/lab/wait.ts'
import { inLab } from '../e2e/pair.ts'
import { leased, multicast, passes, reachesLease, soonMs, strike, textOf } from './pair.ts'

const { vip } = multicast

/** A host whose address is on a bridge, which eth0 is a port of. */
async function bridged(lab: Lab, name: string, n: number): Promise<Host> {
  const host = await lab.host(name, { addresses: { eth0: [] } })
  await host.sh(`ip link add br0 type bridge forward_delay 0 mcast_snooping 0
    ip link set br0 address ${lab.mac(host)} up; ip link set eth0 master br0
    ip address add 172.16.80.${n}/24 dev br0`)
  return host
}

const onBridge = (priority: number, self: number): string =>
  textOf(multicast, priority, self, leased).replace('interface eth0', 'interface br0')

/** In place of nft: what a kernel without the egress hook makes it say. */
const refusing = `#!/bin/sh
while read -r line; do :; done
echo 'Error: Could not process rule: Operation not supported' >&2
exit 1
`

describe('surroundings', { concurrency: 2 }, () => {
  test('addresses on a bridge: killed whole, no answer of two holders', () =>
    inLab('bridge', async (lab) => {
      const [one, two] = [await bridged(lab, 'one', 2), await bridged(lab, 'two', 3)]
      const desk = await lab.host('desk', { addresses: { eth0: ['172.16.80.9/24'] } })
      const master = startVipd(one, onBridge(150, 2))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, onBridge(140, 3))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      await reachesLease(master, 'answers')
      const claims = await Claims.open(lab, desk, { own: '172.16.80.9', address: vip })
      await passes(lab, claims, [one, two], await strike(master, 'SIGKILL'))
    }))

  for (const [what, script, why] of [
    ['refuses', refusing, /nft.*Operation not supported.*Linux 5\.16/s],
    ['is missing', null, /nft.*ENOENT.*is nftables installed/],
  ] as const)
    test(`nft ${what}: said, and the instance works as without a lease`, () =>
      inLab('nonft', async (lab) => {
        const host = (name: string, n: number) =>
          lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`] } })
        const [one, desk] = [await host('one', 2), await host('desk', 9)]
        await one.sh('mkdir -p /run/lab/bin')
        if (script !== null) one.write('/run/lab/bin/nft', script, 0o755)
        const under = ['env', 'PATH=/run/lab/bin']
        const vipd = startVipd(one, textOf(multicast, 150, 2, leased), 'vipd', under)
        await vipd.reaches('VI_1', 'MASTER', soonMs)
        await vipd.child.line(/kernel lease is not in force/, soonMs)
        await reachesLease(vipd, 'missing')
        const { instances, warnings } = await vipd.status()
        assert.match(instances[0]?.kernelLease?.why ?? '', why)
        assert.ok(warnings.some((it) => /the kernel lease is not in force/.test(it)))
        const claims = await Claims.open(lab, desk, { own: '172.16.80.9', address: vip })
        await claims.answeredBy(lab.mac(one), soonMs, nowMs())
        // `auto` is silent about it.
        vipd.configure(textOf(multicast, 150, 2, 'vipd_kernel_lease auto'))
        assert.equal((await vipd.tryReload()).status, 0)
        const later = (await vipd.status()).warnings.filter((it) => it.includes('lease'))
        assert.deepEqual(later, [])
      }))
})
