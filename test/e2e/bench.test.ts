/** `vipd bench failover`, as an operator runs it: one trial of a few causes, and what it leaves behind. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { program } from '../../src/lab/program.ts'

type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string }

const bench = (...words: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const args = [program('../cli/run.js'), 'bench', 'failover', ...words]
    execFile(process.execPath, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ status, stdout, stderr })
    })
  })

test('a run: a row per cause and daemon within reason, JSON, pictures and a page', async () => {
  const out = mkdtempSync(join(tmpdir(), 'vipd-bench-'))
  try {
    const causes = ['--causes', 'cut,return,stop']
    const ran = await bench('--n', '1', '--advert-int', '0.1', ...causes, '--out', out)
    assert.equal(ran.status, 0, ran.stderr)
    const rows = ran.stdout.split('\n').filter((line) => /\|\s+0\.1 \|/.test(line))
    assert.equal(rows.length, 6, ran.stdout)
    const { cases } = JSON.parse(readFileSync(join(out, 'failover.json'), 'utf8'))
    assert.deepEqual(
      cases.map(({ daemon, cause }: { daemon: string; cause: string }) => [
        daemon.split(' ')[0],
        cause,
      ]),
      ['cut', 'return', 'stop'].flatMap((cause) => [
        ['vipd', cause],
        ['keepalived', cause],
      ]),
    )
    for (const { cause, trials } of cases)
      for (const { floorMs, advertMs } of trials) {
        // Whole microseconds, as the daemons reckon.
        const floor = { cut: 360.937, stop: 60.937, return: 0 }[cause as 'cut' | 'stop' | 'return']
        assert.equal(floorMs, floor, cause)
        assert.ok(advertMs > -1 && advertMs < 2_000, `${cause}: ${advertMs} ms past the floor`)
      }
    assert.deepEqual(readdirSync(out).sort(), [
      'failover-outage-cut.svg',
      'failover-outage-return.svg',
      'failover-outage-stop.svg',
      'failover-past-floor-advert.svg',
      'failover-past-floor-answer.svg',
      'failover-past-floor-arp.svg',
      'failover.html',
      'failover.json',
    ])
  } finally {
    rmSync(out, { recursive: true })
  }
})

test('wrong words are refused before anything is built', async () => {
  const unknown = await bench('--causes', 'cut,earthquake')
  assert.deepEqual([unknown.status, unknown.stdout], [3, ''])
  assert.match(unknown.stderr, /no such cause: earthquake/)
  assert.equal((await bench('--advert-int', '0')).status, 3)
  const none = await bench('--no-vipd', '--keepalived', '/nonexistent/keepalived')
  assert.equal(none.status, 3)
  assert.match(none.stderr, /without \/nonexistent\/keepalived: not found/)
  for (const out of ['/proc/nowhere', process.execPath]) {
    const unwritable = await bench('--n', '1', '--out', out)
    assert.deepEqual([unwritable.status, unwritable.stdout], [1, ''], 'nothing is measured')
    assert.match(unwritable.stderr, /^vipd bench: (ENOENT|ENOTDIR): /m)
  }
})
