/**
 * The kernel drops a multicast membership without a word: a backup that goes on listening on the same socket is deaf,
 * and would lead beside the master for good.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 20_000
const own = { 4: '172.16.80.3/24', 6: 'fd00::3/64' } as const

/** Only a deaf one shall miss so many: on a busy machine what the case does takes a while. */
const more = 'down_timer_adverts 10'

type Pair = { readonly lab: Lab; readonly backup: Vipd; readonly host: Host }

const config = (family: 4 | 6, priority: number): string =>
  family === 4
    ? conf({ priority, more })
    : conf({ priority, more, vip: 'fe80::100/64 dev eth0\n    fd00::100/64 dev eth0' })

/** A master and a backup that hears it. */
async function pair(lab: Lab, family: 4 | 6): Promise<Pair> {
  const first = await lab.host('first', {
    addresses: { eth0: [family === 4 ? '172.16.80.2/24' : 'fd00::2/64'] },
  })
  const host = await lab.host('second', { addresses: { eth0: [own[family]] } })
  const master = startVipd(first, config(family, 150))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startVipd(host, config(family, 100))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  await hears(backup, 3)
  return { lab, backup, host }
}

const received = async (backup: Vipd): Promise<number> =>
  (await backup.status()).instances[0]?.adverts.received ?? 0

/** So many more adverts. A deaf one counts none of them. */
async function hears(backup: Vipd, more: number): Promise<void> {
  let before = await received(backup)
  let heard = 0
  await until(`${backup.child.name} hears ${more} adverts`, soonMs, async () => {
    const now = await received(backup)
    // Sockets that were opened anew count from 0.
    heard += now >= before ? now - before : now
    before = now
    return heard >= more
  })
}

/** The interface goes and comes; the backup must hear the master again and never lead beside it. */
async function survives(
  family: 4 | 6,
  what: (pair: Pair) => Promise<void>,
  notices = true,
): Promise<void> {
  await inLab('deaf', async (lab) => {
    const both = await pair(lab, family)
    const from = both.backup.transitions.items.length
    await what(both)
    if (notices) await both.backup.reaches('VI_1', 'BACKUP', soonMs)
    await hears(both.backup, 8)
    const since = both.backup.transitions.items.slice(from).map((t) => t.to)
    assert.ok(!since.includes('MASTER'), `deaf, it became ${since.join(', ')}`)
    assert.deepEqual((await both.backup.status()).warnings, [])
  })
}

const indexOf = async (host: Host): Promise<number> =>
  Number((await host.must('ip', ['-o', 'link', 'show', 'dev', 'eth0'])).split(':')[0])

async function address(host: Host, family: 4 | 6): Promise<void> {
  const nodad = family === 6 ? ['nodad'] : []
  await host.must('ip', ['link', 'set', 'dev', 'eth0', 'up'])
  await host.must('ip', ['address', 'replace', own[family], 'dev', 'eth0', ...nodad])
}

/** To another network namespace and back; `ip netns exec` keeps it alive. */
async function moveAwayAndBack({ host, backup }: Pair, family: 4 | 6): Promise<void> {
  const index = await indexOf(host)
  await host.must('ip', ['netns', 'add', 'away'])
  await host.must('ip', ['link', 'set', 'dev', 'eth0', 'netns', 'away'])
  await backup.reaches('VI_1', 'FAULT', soonMs)
  await host.must('ip', ['-n', 'away', 'link', 'set', 'dev', 'eth0', 'netns', '1'])
  assert.equal(await indexOf(host), index, 'the kernel chose another index')
  await address(host, family)
}

describe('an interface comes back', { concurrency: 2 }, () => {
  for (const family of [4, 6] as const) {
    test(`moved to another namespace and back, IPv${family}`, () =>
      survives(family, (both) => moveAwayAndBack(both, family)))

    test(`made anew with the same index, IPv${family}`, () =>
      survives(family, async ({ lab, host, backup }) => {
        const index = await indexOf(host)
        await lab.disconnect(host)
        await backup.reaches('VI_1', 'FAULT', soonMs)
        await lab.connect(host, 'eth0', [own[family]], index)
        assert.equal(await indexOf(host), index)
      }))
  }

  test('its MTU was too small for IPv6', () =>
    survives(6, async ({ host, backup }) => {
      await host.must('ip', ['link', 'set', 'dev', 'eth0', 'mtu', '1200'])
      await backup.reaches('VI_1', 'FAULT', soonMs)
      await host.must('ip', ['link', 'set', 'dev', 'eth0', 'mtu', '1500'])
      await address(host, 6)
    }))

  test('moved away and back before the daemon looked', () =>
    survives(
      4,
      async ({ host, backup }) => {
        await host.must('ip', ['netns', 'add', 'away'])
        await backup.child.signal('SIGSTOP')
        await host.must('ip', ['link', 'set', 'dev', 'eth0', 'netns', 'away'])
        await host.must('ip', ['-n', 'away', 'link', 'set', 'dev', 'eth0', 'netns', '1'])
        await address(host, 4)
        await backup.child.signal('SIGCONT')
      },
      false,
    ))
})
