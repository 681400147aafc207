/** What the tests inside share: two hosts on one segment, vipd on an interface that a test names. */
import type { Daemon } from '../../../src/lab/daemon.ts'
import type { Host } from '../../../src/lab/host.ts'
import { startVipd } from '../../../src/lab/vipd.ts'
import { conf, type Instance } from '../../e2e/pair.ts'

export const vip = '10.80.0.100'
/** Everything is slower here; what is asserted is what happens, not how soon. */
export const slowMs = 60_000

/** Of an instance on that interface, with an interval that a starved kernel keeps. */
export const on = (link: string, instance: Instance): string =>
  conf({ vip: `${vip}/24`, advertInt: 0.5, ...instance }).replace(
    'interface eth0',
    `interface ${link}`,
  )

export const vipd = (host: Host, link: string, instance: Instance): Daemon =>
  startVipd(host, on(link, instance))

/** That host is master and holds the address. */
export async function leads(host: Host, daemon: Daemon): Promise<void> {
  await daemon.reaches('VI_1', 'MASTER', slowMs)
  await host.awaitAddress(vip, true, slowMs)
}
