/** Two masters that hear and do not believe each other: status is degraded, and says what to change. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, type Instance, inLab, start } from './pair.ts'

const soonMs = 30_000
const password = (word: string) => `authentication {\n auth_type PASS\n auth_pass ${word}\n }`

type Case = readonly [string, DaemonKind, Instance, Instance, RegExp]

const cases: readonly Case[] = [
  [
    'version',
    'keepalived',
    { priority: 150 },
    { priority: 100, version: 2 },
    /it speaks version 2/,
  ],
  [
    'password',
    'vipd',
    { priority: 150, version: 2, more: password('one') },
    { priority: 100, version: 2, more: password('two') },
    /its password is not ours/,
  ],
  [
    'interval',
    'keepalived',
    { priority: 150, version: 2 },
    { priority: 100, version: 2, advertInt: 2 },
    /its advert_int is 2 s, ours 1 s/,
  ],
]

describe('adverts that are not believed', { concurrency: 2 }, () => {
  for (const [what, peer, ours, theirs, says] of cases)
    test(`another ${what}: both are MASTER, and status names the sender and the remedy`, () =>
      inLab('ignored', async (lab) => {
        const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
        const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
        const daemon = startVipd(one, conf(ours))
        const other = start(peer, two, conf(theirs))
        await daemon.reaches('VI_1', 'MASTER', soonMs)
        await other.reaches('VI_1', 'MASTER', soonMs)
        await daemon.child.line(/ignoring advert from 172\.16\.80\.3/, soonMs)
        await until('a warning', soonMs, async () =>
          (await daemon.status()).warnings.some(
            (it) =>
              it.startsWith('VI_1 is MASTER and ignores the adverts of 172.16.80.3') &&
              says.test(it),
          ),
        )
        assert.equal(daemon.state('VI_1'), 'MASTER')
        await other.child.signal('SIGTERM')
        // That it had the addresses as well is warned of for a while longer.
        await until('no warning', soonMs, async () =>
          (await daemon.status()).warnings.every((it) => it.includes('is claimed by another')),
        )
      }))
})

describe('one by unicast, one by multicast', { concurrency: 2 }, () => {
  const byUnicast = (peer: string): string => `unicast_peer {\n ${peer}\n }`
  for (const [what, ours, theirs] of [
    ['multicast', '', byUnicast('172.16.80.2')],
    ['unicast', byUnicast('172.16.80.3'), ''],
  ] as const)
    test(`the ${what} side names the other`, () =>
      inLab('transports', async (lab) => {
        const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
        const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
        const daemon = startVipd(one, conf({ priority: 150, more: ours }))
        const other = start('keepalived', two, conf({ priority: 100, more: theirs }))
        await daemon.reaches('VI_1', 'MASTER', soonMs)
        await other.reaches('VI_1', 'MASTER', soonMs)
        const says = /172\.16\.80\.3 sends adverts of VRID 51 by \w+ on eth0.*Write unicast_peer/
        await daemon.child.line(says, soonMs)
        assert.ok((await daemon.status()).warnings.some((it) => says.test(it)))
      }))
})
