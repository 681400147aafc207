/** What the terminal shows of a real daemon: its history over a crash and a full disk, its events as they happen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Child } from '../../src/lab/child.ts'
import { program } from '../../src/lab/program.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { DaemonEvent } from '../../src/report/event.ts'
import { Session } from '../unit/cli/a-terminal.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const bin = program('../cli/run.js')

/** Their transitions take more than a page of the disk. */
const more = Array.from(
  { length: 30 },
  (_, i) => `
vrrp_instance more_${i} {
  interface eth0
  virtual_router_id ${100 + i}
  version 3
  advert_int 0.2
  virtual_ipaddress {
    172.16.80.${150 + i}
  }
}`,
)

type Told = { readonly to: string; readonly number?: number; readonly cause: string }

test('history over a crash, an end and a full disk; events while they happen', async () => {
  await inLab('terminal', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    await host.must('mkdir', ['/run/lab/kept'])
    await host.must('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', '/run/lab/kept'])
    const text = conf({
      priority: 100,
      before: 'global_defs {\n  vipd_history /run/lab/kept\n}\n',
    })
    const history = async (...words: string[]): Promise<readonly Told[]> => {
      const asked = await host.run(process.execPath, [
        ...[bin, 'history', '--json', '--run-dir', '/run/lab/vipd', ...words],
      ])
      assert.equal(asked.status, 0, asked.stderr)
      const all = JSON.parse(asked.stdout) as { name: string; history: Told[] }[]
      return all.find(({ name }) => name === 'VI_1')?.history ?? []
    }
    const first = startVipd(host, text)
    await first.reaches('VI_1', 'MASTER', soonMs)
    const before = await until('both are kept', soonMs, async () => {
      const told = await history()
      return told.every(({ number }) => number !== undefined) && told.length >= 2 ? told : null
    })
    assert.deepEqual(
      before.map(({ number, to }) => [number, to]),
      [
        [1, 'BACKUP'],
        [2, 'MASTER'],
      ],
    )
    // The log of both, from the first one on, has the numbers that history tells.
    const logged = (child: Child) =>
      child.output.items
        .map(({ text: line }) => JSON.parse(line) as { instance?: string; number?: number })
        .flatMap(({ instance, number }) => (instance === 'VI_1' && number ? [number] : []))
    assert.deepEqual(logged(first.child), [1, 2])
    await first.kill()

    const second = startVipd(host, text)
    await second.reaches('VI_1', 'MASTER', soonMs)
    const after = await until('those of now are kept', soonMs, async () => {
      const told = await history()
      return told.length >= 4 && told.every(({ number }) => number !== undefined) ? told : null
    })
    assert.deepEqual(after.slice(0, 2), before)
    assert.ok((after[2]?.number ?? 0) > 2)
    assert.deepEqual(
      logged(second.child),
      after.slice(2).map(({ number }) => number),
    )
    const sets = new Set(after.map(({ number }) => number))
    assert.equal(sets.size, after.length)

    const words = ['--run-dir', '/run/lab/vipd']
    const events = host.spawn(process.execPath, [bin, 'events', '--json', ...words], {
      name: 'events',
    })
    const following = host.spawn(process.execPath, [bin, 'history', '--follow', ...words], {
      name: 'following',
    })
    await following.line(/INIT -> BACKUP/, soonMs)
    await until(
      'both listen',
      soonMs,
      async () => {
        await second.reload()
        return events.text.includes('"kind":"reload"')
      },
      500,
    )
    // Not a single octet is left: what happens meanwhile is held, and said to be.
    await host.run('sh', ['-c', 'head -c 100000 /dev/zero > /run/lab/kept/filling'])
    second.configure(`${text}${more.join('')}`)
    await second.reload()
    await second.reaches('more_29', 'MASTER', soonMs)
    await host.must('ip', ['link', 'set', 'eth0', 'down'])
    const told = await events.line(/"kind":"transition".*"VI_1".*"to":"FAULT"/, soonMs, 0)
    const fault = JSON.parse(told.text) as DaemonEvent & { kind: 'transition' }
    assert.deepEqual([fault.instance, fault.cause], ['VI_1', 'faults'])
    assert.ok((fault.number ?? 0) > (after.at(-1)?.number ?? 0))
    await following.line(/VI_1 {2}MASTER -> FAULT/, soonMs, 0)
    await until('a warning', soonMs, async () =>
      (await second.status()).warnings.some((it) => it.includes('ENOSPC')),
    )
    await host.must('rm', ['/run/lab/kept/filling'])
    await until('no warning', soonMs, async () =>
      (await second.status()).warnings.every((it) => !it.includes('not kept')),
    )
    await second.stop()

    const alone = await host.run(process.execPath, [bin, 'history', '--dir', '/run/lab/kept/run-'])
    assert.equal(alone.stdout, '')
    const ls = await host.run('sh', ['-c', 'echo /run/lab/kept/run-*'])
    const kept = await history('--dir', ls.stdout.trim())
    assert.ok(kept.some(({ number, to }) => to === 'FAULT' && number === fault.number))
    assert.equal(kept.at(-1)?.to, 'STOPPED')
    assert.equal((await history('--dir', ls.stdout.trim(), '--until', '1h')).length, 0)
  })
})

test('watch: a daemon that is killed, that stands still, and that comes back', async () => {
  await inLab('watch', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const first = startVipd(host, conf({ priority: 100 }))
    await first.reaches('VI_1', 'MASTER', soonMs)
    const watch = new Session({
      ...{ dir: `/proc/${host.pid}/root/run/lab`, seen: '/run/lab', name: 'watch' },
      program: `TERM=xterm exec '${process.execPath}' '${bin}' watch --run-dir '${first.runDir}'`,
      start: (args, onData) => {
        const child = host.spawn('script', args, { name: 'script', onData })
        return { write: (text) => child.write(text), ended: child.exited }
      },
    })
    await watch.shows(/VI_1 +\d+ +eth0 +MASTER/)
    await first.kill()
    await watch.shows(/^NO ANSWER for[\s\S]*VI_1 +\d+ +eth0 +MASTER/)
    const second = startVipd(host, conf({ priority: 100 }))
    await second.reaches('VI_1', 'MASTER', soonMs)
    await watch.shows(/^vipd [\s\S]*VI_1 +\d+ +eth0 +MASTER/)
    await second.child.signal('SIGSTOP')
    await watch.shows(/^NO ANSWER for/)
    await second.child.signal('SIGCONT')
    await watch.shows(/^vipd /)
    // Both take-overs: that of the daemon that is no more, and that of this one.
    await watch.shows(/(?:VI_1 {2}BACKUP -> MASTER[\s\S]*){2}/)
    watch.type('q')
    await watch.ended
    assert.deepEqual([watch.read('status'), watch.read('after')], ['0', watch.read('before')])
  })
})
