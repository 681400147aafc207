/** A router that cannot set its addresses serves no client: it must not keep the lead from a peer that can. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vip = '172.16.80.100'
const six = '2001:db8::100'
const without = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin']
const addresses = { eth0: ['172.16.80.2/24'] }

describe('without NET_ADMIN', { concurrency: 2 }, () => {
  test('an instance with an address: it does not start, and says why', () =>
    inLab('refuses', async (lab) => {
      const host = await lab.host('one', { addresses })
      const daemon = startVipd(host, conf({ priority: 150 }), 'vipd', without)
      await daemon.child.line(/VI_1 has addresses to set, which takes CAP_NET_ADMIN/, soonMs)
      assert.deepEqual(await daemon.child.ended(soonMs), { status: 1, signal: null })
    }))

  test('one that only notifies runs, and takes no address by a reload', () =>
    inLab('notifies', async (lab) => {
      const host = await lab.host('one', { addresses })
      const bare = conf({ priority: 150, version: 2 }).replace(/virtual_ipaddress \{[^}]*\}/, '')
      const daemon = startVipd(host, bare, 'vipd', without)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      daemon.configure(conf({ priority: 150, version: 2 }))
      const { status, text } = await daemon.tryReload()
      assert.equal(status, 1)
      assert.match(text, /VI_1 has addresses to set, which takes CAP_NET_ADMIN/)
      assert.equal(daemon.state('VI_1'), 'MASTER')
    }))
})

/** It changed its state by the test's own doing, on a slow machine often enough to be warned of. */
const flapping = /changed state \d+ times in the last minute/

/** What it still warns of is in the failure. */
async function noWarning(daemon: Vipd): Promise<void> {
  let seen: readonly string[] = []
  const none = async () => {
    seen = (await daemon.status()).warnings.filter((warning) => !flapping.test(warning))
    return seen.length === 0
  }
  await until('no warning', soonMs, none).catch(() => assert.deepEqual(seen, []))
}

describe('addresses that the kernel refuses to a master', { concurrency: 2 }, () => {
  const onlySix = conf({ priority: 150, version: 2 }).replace(
    /virtual_ipaddress \{[^}]*\}/,
    `virtual_ipaddress_excluded {\n    ${six}/128\n  }`,
  )
  const disable = 'sysctl -qw net.ipv6.conf.eth0.disable_ipv6'

  test('all of them: FAULT with the reason, the peer leads, and it is tried again', () =>
    inLab('all', async (lab) => {
      const one = await lab.host('one', { addresses })
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      await one.sh(`${disable}=1`)
      const daemon = startVipd(one, onlySix)
      await daemon.reaches('VI_1', 'FAULT', soonMs)
      await daemon.child.line(/Entering FAULT STATE: the kernel refuses every address/, soonMs)
      const peer = startVipd(two, onlySix.replace('150', '100'))
      await peer.reaches('VI_1', 'MASTER', soonMs)
      const tried = daemon.transitions.items.length
      await daemon.transitions.next('tries', soonMs, (m) => m.to === 'MASTER', tried)
      await daemon.transitions.next('again', soonMs, (m) => m.to === 'FAULT', tried)
      await one.sh(`${disable}=0`)
      await one.awaitAddress(six, true, soonMs)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await noWarning(daemon)
    }))

  test('one of several: MASTER, with a warning until the kernel takes it', () =>
    inLab('one', async (lab) => {
      const host = await lab.host('one', { addresses })
      await host.sh(`${disable}=1`)
      const more = `virtual_ipaddress_excluded {\n    ${six}/128\n  }`
      const globals = 'vipd_address_lifetime 3'
      const daemon = startVipd(host, conf({ priority: 150, more, globals }))
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(vip, true, soonMs)
      const refused = /VI_1 is MASTER, but the kernel refuses 2001:db8::100 on eth0: RTM_NEWADDR/
      await until('a warning', soonMs, async () =>
        (await daemon.status()).warnings.some((it) => refused.test(it)),
      )
      await host.sh(`${disable}=0`)
      await host.awaitAddress(six, true, soonMs)
      await noWarning(daemon)
      assert.deepEqual(
        daemon.transitions.items.map((it) => it.to),
        ['BACKUP', 'MASTER'],
      )
    }))
})
