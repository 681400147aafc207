/** Commands about files: check, run, probe, tune; their words and exit statuses. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Observation } from '../../../src/report/observation.ts'
import { aStatus } from './a-status.ts'
import { accepted, answering, dir, nothingSeen, vipd } from './asked.ts'

test('check takes the file as a word, once, and says what is wrong with a link; its columns stay apart', async () => {
  const file = join(dir, 'word.conf')
  writeFileSync(
    file,
    'global_defs {\n dynamic_interfaces\n}\nvrrp_instance V {\n interface e9\n virtual_router_id 5\n virtual_ipaddress {\n 10.9.9.9/24\n }\n}\n',
  )
  const { status, stdout } = await vipd('check', file)
  assert.equal(status, 0, stdout)
  assert.equal(stdout, (await vipd('check', '-f', file)).stdout)
  assert.match(stdout, /^ {2}address lifetime {2}8 s$/m)
  assert.equal((await vipd('check', file, '-f', file)).status, 3)
  const loop = join(dir, 'loop.conf')
  symlinkSync(loop, loop)
  const refused = await vipd('check', loop)
  assert.equal(refused.status, 4)
  assert.match(
    refused.stdout,
    /loop\.conf: its symbolic links lead in a circle \[file-unreadable\]/,
  )
  writeFileSync(file, `include ${loop}\n`)
  assert.match((await vipd('check', file)).stdout, /its symbolic links lead in a circle/)
})

const brokenText = 'vrrp_instance VI_1 {\n  virtual_router_id\n}\n'

test('check prints the report, and exits as it says; keepalived -t means the same', async () => {
  const good = join(dir, 'good.conf')
  writeFileSync(good, 'global_defs {\n  router_id lb1\n  enable_script_security\n}\n')
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const well = await vipd('check', '-f', good)
  assert.equal(well.status, 0)
  assert.match(well.stdout, /router lb1/)
  const ill = await vipd('check', '-f', broken)
  assert.equal(ill.status, 2)
  assert.match(ill.stdout, /broken\.conf:2:\d+: .*\[[a-z-]+\]/)
  assert.equal((await vipd('-t', '--use-file', broken)).status, 2)
  const json = await vipd('check', '--json', '-f', broken)
  assert.equal(json.status, 2)
  assert.equal((JSON.parse(json.stdout) as { schema: number }).schema, 1)
  assert.equal((await vipd('check', '-f', join(dir, 'none.conf'))).status, 4)
})

test('check prints what is wrong as editors and CI read it, with the same exit status', async () => {
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const gcc = await vipd('check', '--format', 'gcc', broken)
  assert.equal(gcc.status, 2)
  assert.match(gcc.stdout, /^\S+\/broken\.conf:2:\d+: error: .+ \[[a-z-]+\]$/m)
  assert.doesNotMatch(gcc.stdout, /exit 2/, 'nothing but what is wrong')
  const github = await vipd('check', '--format', 'github', broken)
  assert.equal(github.status, 2)
  assert.match(github.stdout, /^::error file=\S+\/broken\.conf,line=2,col=\d+,title=[a-z-]+::./m)
  assert.equal((await vipd('check', '--format', 'xml', broken)).status, 3)
})

test('run refuses: a configuration that cannot run, a directory where a daemon lives', async () => {
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const free = join(dir, 'free')
  const refused = await vipd('run', '-f', broken, '--run-dir', free)
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /broken\.conf:2:\d+: /)
  const none = await vipd('run', '-f', join(dir, 'none.conf'), '--run-dir', free)
  assert.equal(none.status, 4)
  await answering({ ...aStatus, warnings: [] }, accepted, async () => {
    const empty = join(dir, 'empty.conf')
    writeFileSync(empty, '')
    const second = await vipd('run', '-f', empty, '--run-dir', dir, '--log-format', 'text')
    assert.equal(second.status, 1)
    assert.match(second.stderr, / error .*a vipd is already running with /)
    assert.equal((await vipd('status', '--run-dir', dir)).status, 0)
  })
})

test('probe: each run and its phases, the distribution, and the status of it all', async () => {
  const server = createServer((_, response) => response.end('well')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  const { port } = server.address() as AddressInfo
  const file = join(dir, 'probe.conf')
  const script = (name: string, line: string) => `vrrp_script ${name} {\n ${line}\n}\n`
  writeFileSync(
    file,
    `${script('web', `probe http http://127.0.0.1:${port}/ body well`)}${script('no', 'script "/bin/false"')}
vrrp_instance V {\n interface lo\n virtual_router_id 1\n unicast_src_ip 127.0.0.1\n unicast_peer {\n 127.0.0.2\n }\n track_script {\n web\n no\n }\n virtual_ipaddress {\n 10.0.0.1/32\n }\n}\n`,
  )
  const good = await vipd('probe', 'web', '-n', '3', '-f', file)
  assert.equal(good.status, 0, good.stderr)
  const run =
    /^ {2}succeeded {2}resolve [\d.]+ ms {2}connect [\d.]+ ms {2}first byte [\d.]+ ms {2}total [\d.]+ ms$/
  const lines = good.stdout.trimEnd().split('\n')
  assert.equal(lines.filter((line) => run.test(line)).length, 3, good.stdout)
  assert.match(lines[0] ?? '', /^web: in-process: GET http:\/\/127\.0\.0\.1/)
  assert.match(
    lines.at(-1) ?? '',
    /^3 of 3 good; min [\d.]+ ms, median .*, 99 % .*, max [\d.]+ ms$/,
  )
  const bad = await vipd('probe', 'no', '-f', file)
  assert.equal(bad.status, 1)
  assert.match(bad.stdout, /failed \(exited with status 1\) {2}total/)
  const elsewhere = join(dir, 'elsewhere.conf')
  writeFileSync(elsewhere, readFileSync(file, 'utf8').replace('interface lo', 'interface none9'))
  assert.equal((await vipd('probe', 'no', '-f', elsewhere)).status, 1, 'no interface is needed')
  const nobody = await vipd('probe', 'nobody', '-f', file)
  assert.equal(nobody.status, 3)
  assert.match(nobody.stderr, /no tracked check is called nobody; there are: web, no/)
})

test('tune: the daemon is asked; what cannot be written or read is said at once; it may vanish meanwhile', async () => {
  const timing = { intervalMs: 1_000, fastIntervalMs: null, downIntervalMs: null, timeoutMs: 1_000 }
  const check = { name: 'web', how: 'tcp', tunable: true, timing: { ...timing, rise: 1, fall: 1 } }
  const seen: Observation = { ...nothingSeen, checks: [{ ...check, results: [] }] }
  const results = Float64Array.of(1_000, 2, 0, 0)
  const saved = join(dir, 'seen.json')
  const tune = (...args: string[]) => vipd('tune', ...args, '--run-dir', dir)
  const act = async () => {
    const told = await tune('--save', saved)
    assert.equal(told.status, 0, told.stderr)
    assert.match(
      told.stdout,
      /check web: interval 1, timeout 1, fall 1, rise 1\n {2}seen +1 runs, 0 failed/,
    )
    assert.equal((await tune('web')).status, 0)
    const waited = await tune('db', '--observe', '1h')
    assert.deepEqual([waited.status, waited.stderr], [3, 'vipd tune: no check is called db\n'])
    const unknown = await tune('db')
    assert.deepEqual([unknown.status, unknown.stderr], [3, 'vipd tune: no check is called db\n'])
    for (const args of [
      ['--save', dir],
      ['--out', saved],
    ]) {
      const refused = await tune('--observe', '1h', ...args)
      assert.equal(refused.status, 3, args.join(' '))
      assert.match(refused.stderr, /^vipd tune: E(ISDIR|EXIST|NOTDIR)/, args.join(' '))
    }
  }
  await answering(aStatus, accepted, act, [], [], () => seen, results)
  const replayed = await tune('--replay', saved, '--set', 'timeout=0.001')
  assert.match(replayed.stdout, /check web: 1 runs, 1 failure/)
  writeFileSync(saved, '{')
  const bad = await tune('--replay', saved)
  assert.equal(bad.status, 3)
  assert.match(bad.stderr, /^vipd tune: .*seen\.json: .*JSON/)
  assert.equal((await tune('--replay', `${saved}.not`)).status, 3)
  assert.equal((await tune('--set', 'fall=1.5')).status, 3)
  assert.equal((await tune('--observe', 'soon')).status, 3)
  let vanished: ReturnType<typeof tune> | null = null
  let asked = () => {}
  const once = new Promise<void>((resolve) => {
    asked = resolve
  })
  const leave = async () => {
    vanished = tune('--observe', '3s')
    await once
    // The answer is on its way, and has seconds for it.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  const observe = () => {
    asked()
    return seen
  }
  await answering(aStatus, accepted, leave, [], [], observe, results)
  const { status, stderr } = (await vanished) ?? { status: null, stderr: '' }
  assert.deepEqual([status, /^vipd: no vipd is running/.test(stderr)], [2, true], stderr)
})
