/** A kernel that does not make the link that an instance needs says so, and so does vipd; the rest of the file runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000

test('use_ipvlan where the kernel has none: FAULT with its words; the other instance leads', () =>
  inLab('noipvlan', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const possible = await host.run('ip', ['link', 'add', 'link', 'eth0', 'type', 'ipvlan'])
    // Where it has, an interface that is a bridge's port takes no ipvlan.
    if (possible.status === 0)
      await host.sh('ip link add br0 type bridge; ip link set eth0 master br0')
    const other = conf({ priority: 150, vip: '172.16.80.101' })
      .replace('VI_1', 'VI_2')
      .replace('virtual_router_id 51', 'virtual_router_id 52')
    const asking = conf({ priority: 150, more: 'use_ipvlan 172.16.80.51/24' })
    const daemon = startVipd(host, asking + other.slice(other.indexOf('vrrp_instance')))
    await daemon.reaches('VI_2', 'MASTER', soonMs)
    await daemon.reaches('VI_1', 'FAULT', soonMs)
    await daemon.child.line(/vrrp\.51 cannot be used: RTM_NEWLINK: (EOPNOTSUPP|EBUSY)/, soonMs)
    const warning = await until('status says so', soonMs, async () =>
      (await daemon.status()).warnings.find((it) => it.startsWith('vrrp.51: ')),
    )
    assert.match(warning, /RTM_NEWLINK: (EOPNOTSUPP|EBUSY)/)
    await daemon.stop()
  }))
