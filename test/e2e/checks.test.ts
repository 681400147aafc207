/** Checks that are no scripts, end to end: the address moves to the other host and comes back, and `vipd tune` on a pair. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyPatch } from 'diff'
import type { Host } from '../../src/lab/host.ts'
import { serveWeb } from '../../src/lab/serving.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { conf, type Instance, inLab } from './pair.ts'

const soonMs = 15_000

type Pair = { readonly one: Host; readonly two: Host; readonly first: Vipd; readonly second: Vipd }

async function onPair(
  name: string,
  instance: Omit<Instance, 'priority'>,
  body: (pair: Pair) => Promise<void>,
  prepare: (host: Host) => Promise<unknown> = async () => undefined,
): Promise<void> {
  await inLab(name, async (lab) => {
    const host = (word: string, n: number) =>
      lab.host(word, { addresses: { eth0: [`172.16.80.${n}/24`] } })
    const [one, two] = [await host('one', 2), await host('two', 3)]
    for (const each of [one, two]) await prepare(each)
    const second = startVipd(two, conf({ ...instance, priority: 100 }))
    await second.reaches('VI_1', 'MASTER', soonMs)
    const first = startVipd(one, conf({ ...instance, priority: 120 }))
    await first.reaches('VI_1', 'MASTER', soonMs)
    await second.reaches('VI_1', 'BACKUP', soonMs)
    await body({ one, two, first, second })
  })
}

/** The lead goes over to the second host, and comes back. */
async function movesAndReturns(
  { first, second }: Pair,
  fail: () => Promise<unknown>,
  pass: () => Promise<unknown>,
  as: 'FAULT' | 'BACKUP' = 'FAULT',
): Promise<void> {
  await fail()
  await first.reaches('VI_1', as, soonMs)
  await second.reaches('VI_1', 'MASTER', soonMs)
  await pass()
  await first.reaches('VI_1', 'MASTER', soonMs)
  await second.reaches('VI_1', 'BACKUP', soonMs)
}

describe('checks that are no scripts', { concurrency: 4 }, () => {
  test('vrrp_track_process', async () => {
    const before = 'vrrp_track_process web {\n  process httpd\n  terminate_delay 0.1\n}'
    const instance = { before, more: 'track_process {\n    web\n  }' }
    await onPair(
      'process',
      instance,
      async (pair) => {
        const web = pair.one.children.find(({ name }) => name.startsWith('httpd'))
        await movesAndReturns(
          pair,
          async () => await web?.stop(5_000),
          () => serveWeb(pair.one),
        )
        const { checks } = await pair.first.status()
        assert.deepEqual(
          checks.map(({ name, good }) => [name, good]),
          [['process/web', true]],
        )
      },
      serveWeb,
    )
  })

  test('track_file: its number moves the priority, and the daemon writes the first one', async () => {
    const before = 'track_file load {\n  file /run/lab/load\n  weight -1\n  init_file 0\n}'
    const instance = { before, more: 'track_file {\n    load\n  }' }
    await onPair('file', instance, async (pair) => {
      assert.equal((await pair.one.run('cat', ['/run/lab/load'])).stdout, '0\n')
      const write = (text: string) => async () => void pair.one.write('/run/lab/load', text)
      await movesAndReturns(pair, write('50'), write('0'), 'BACKUP')
      await movesAndReturns(pair, write('254'), write('5'))
      const [instance0] = (await pair.first.status()).instances
      assert.equal(instance0?.effectivePriority, 115)
    })
  })

  test('push: a job that says nothing, or that it has failed; combined with others', async () => {
    const before = `vrrp_script job {
  probe push
  interval 5
}
vrrp_script other {
  probe file /run/lab/flag
  interval 0.1
}
vrrp_script either {
  combine any job other
}`
    const instance = { before, more: 'track_script {\n    either\n  }' }
    const prepare = async (host: Host) => void host.write('/run/lab/flag', '')
    await onPair(
      'push',
      instance,
      async (pair) => {
        const { one, first } = pair
        const good = async () => assert.equal((await first.ask('push', 'job')).status, 0)
        const bad = async () =>
          assert.equal((await first.ask('push', 'job', '--fail', 'disk full')).status, 0)
        await good()
        await one.must('rm', ['/run/lab/flag'])
        await movesAndReturns(pair, bad, good)
        const none = await first.ask('push', 'other')
        assert.deepEqual(
          [none.status, /no push check is called other/.test(none.stderr)],
          [1, true],
        )
      },
      prepare,
    )
  })

  test('vipd tune: what the backup has seen, a proposal, and a reload with it', async () => {
    const before = 'vrrp_script web {\n  probe tcp 127.0.0.1:80\n  interval 1\n  fall 2\n}'
    const more = 'track_script {\n    web\n  }\n  down_timer_adverts 30'
    const instance = { before, more, advertInt: 0.03 }
    await onPair(
      'tune',
      instance,
      async ({ two, second }) => {
        const file = '/run/lab/vipd.conf'
        const target = ['--target-failover', '1s', '--max-false', '1/day']
        const watching = (span: string) => ['--observe', span, '--every', '20ms']
        const places = ['--out', '/run/lab/tune', '--save', '/run/lab/seen.json']
        const brief = await second.ask('tune', ...watching('1s'), ...target)
        assert.equal(brief.status, 1, 'from little evidence nothing is proposed')
        assert.match(brief.stdout, /needs at least 300 adverts: 9 s \(\d+ seen\)/)
        const tuned = await second.ask('tune', ...watching('12s'), ...target, ...places)
        assert.equal(tuned.status, 0, `${tuned.stdout}${tuned.stderr}`)
        assert.match(tuned.stdout, /instance VI_1: advert_int 0\.03, down_timer_adverts 30/)
        assert.match(tuned.stdout, /heard {14}[34]\d\d adverts/)
        assert.match(tuned.stdout, /seen {15}\d{3} runs, 0 failed/)
        assert.match(tuned.stdout, /vipd check accepts it/)
        const read = async (path: string) => (await two.run('cat', [path])).stdout
        assert.match(await read('/run/lab/tune/tune.html'), /<svg/)
        const changed = applyPatch(await read(file), await read('/run/lab/tune/tune.patch'))
        assert.ok(changed !== false)
        second.configure(changed)
        assert.equal((await second.tryReload()).status, 0)
        const replayed = await second.ask(
          'tune',
          '--replay',
          '/run/lab/seen.json',
          '--set',
          'fall=1',
        )
        assert.match(replayed.stdout, /check web: \d+ runs, 0 failures/)
        assert.match(replayed.stdout, /instance VI_1: 0 take-overs, 0 possible/)
      },
      serveWeb,
    )
  })
})
