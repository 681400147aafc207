/** net_namespace, instance and use_pid_dir: the daemon, its scripts, its files and its leftovers are where they belong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vipd = program('../cli/run.js')
const runDir = '/run/vipd/netns-blue.instance-edge'

/** eth0 of the namespace blue is blue0 outside: no interface of that name is anywhere else. */
async function hostWithBlue(lab: Lab): Promise<Host> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  await host.sh(`ip netns add blue; ip -n blue link set lo up
    ip link add outside type veth peer name blue0 netns blue; ip link set outside up
    ip -n blue link set blue0 up; ip -n blue address add 172.16.80.9/24 dev blue0`)
  host.write('/run/lab/where.sh', '#!/bin/sh\nreadlink /proc/self/ns/net > /run/lab/where\n', 0o755)
  host.write('/run/lab/blue.conf', blue('net_namespace blue'))
  return host
}

const blue = (first: string, more = '') =>
  `${first}\ninstance edge\n${conf({
    priority: 100,
    before: 'vrrp_script where {\n script /run/lab/where.sh\n interval 1\n}',
    more: `track_script {\n where\n }\n${more}`,
  }).replace('eth0', 'blue0')}`

const holds = async (host: Host, address: string): Promise<boolean> =>
  (await host.must('ip', ['-n', 'blue', '-br', 'address'])).includes(address)

const ask = (host: Host, ...words: string[]) => host.run(process.execPath, [vipd, ...words])

describe('a daemon in a network namespace', { concurrency: 2 }, () => {
  test('net_namespace: addresses, scripts, check, reload, kill and cleanup are in it', () =>
    inLab('blue', async (lab) => {
      const host = await hostWithBlue(lab)
      const check = await ask(host, 'check', '-f', '/run/lab/blue.conf')
      assert.equal(check.status, 6, check.stdout)
      assert.match(check.stdout, /network namespace +blue\n/)
      const run = ['run', '-f', '/run/lab/blue.conf']
      const child = host.spawn(process.execPath, [vipd, ...run], { name: 'vipd' })
      await child.line(/Entering MASTER STATE/, soonMs)
      assert.ok(await holds(host, '172.16.80.100'))
      assert.equal(await host.holds('172.16.80.100'), false)
      const inside = await host.must('ip', [
        'netns',
        'exec',
        'blue',
        'readlink',
        '/proc/self/ns/net',
      ])
      await until('the script has run inside', soonMs, () => host.read('/run/lab/where') === inside)
      // The only daemon of the host is found without being named.
      const status = await ask(host, 'status', '--json')
      assert.equal(JSON.parse(status.stdout).instances[0].state, 'MASTER', status.stderr)
      await reloads(host)
      // Neither the daemon nor its warden gives anything back.
      const pids = await host.sh(`fuser ${runDir}/warden.lock ${runDir}/vipd.lock 2>/dev/null`)
      await host.sh(`kill -9 ${pids}`)
      await child.ended(soonMs)
      assert.ok(await holds(host, '172.16.80.100'))
      const cleaned = await ask(host, 'cleanup')
      assert.match(cleaned.stdout, /removed .*172\.16\.80\.100/, cleaned.stderr)
      assert.equal(await holds(host, '172.16.80.100'), false)
      await host.sh('ip netns delete blue')
      const gone = await ask(host, 'cleanup', '--run-dir', runDir)
      assert.deepEqual([gone.status, gone.stderr.includes('blue is gone')], [0, true], gone.stderr)
      const missing = await ask(host, ...run)
      assert.equal(missing.status, 4)
      assert.match(missing.stderr, /there is no network namespace blue \(ENOENT\).*no-namespace/)
    }))

  test('the process: its name, its processors and its umask, and those of its warden and scripts', () =>
    inLab('process', async (lab) => {
      const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const script =
        '#!/bin/sh\n{ umask; grep Cpus_allowed_list /proc/self/status; } > /run/lab/as.new\nmv /run/lab/as.new /run/lab/as\n'
      host.write('/run/lab/as.sh', script, 0o755)
      const globals = 'umask 027\n  vrrp_cpu_affinity 0\n  reload_file /run/lab/reading'
      const text = conf({
        priority: 100,
        globals,
        before: 'vrrp_script as {\n script /run/lab/as.sh\n interval 1\n}',
        more: 'track_script {\n as\n }',
      })
      host.write('/run/lab/vipd.conf', text)
      const run = async (name: string): Promise<string> => {
        const child = host.spawn(process.execPath, [vipd, 'run', '-f', '/run/lab/vipd.conf'], {
          name: `vipd as ${name}`,
        })
        await child.line(/Entering MASTER STATE/, soonMs)
        const pid = (await host.must('pgrep', ['-x', name])).trim()
        assert.equal((await host.must('pidof', [name])).trim(), pid)
        return pid
      }
      const pid = await run('vipd')
      // Node's own threads are called as its program is.
      const threads = (await host.sh(`sort -u /proc/${pid}/task/*/comm`)).trim().split('\n')
      for (const thread of ['vipd', 'vipd-engine', 'vipd-netlink', 'vipd-programs', 'vipd-checks'])
        assert.ok(threads.includes(thread), `${thread} is not one of ${threads}`)
      assert.deepEqual(
        threads.filter((thread) => !/^(node|vipd(-[a-z]+)?)$/.test(thread)),
        [],
      )
      const ofTasks = await host.sh(
        `cat /proc/${pid}/task/*/status /proc/$(pgrep -x vipd-warden)/status`,
      )
      const allowed = [...ofTasks.matchAll(/Cpus_allowed_list:\t(.*)/g)].map(([, list]) => list)
      assert.ok(allowed.length > 5)
      assert.deepEqual([...new Set(allowed)], ['0'])
      await until('the script has run', soonMs, () => host.read('/run/lab/as') !== null)
      assert.equal(host.read('/run/lab/as'), '0027\nCpus_allowed_list:\t0\n')
      host.write('/run/lab/vipd.conf', text.replace('027', '022\n  vrrp_process_name lb-vrrp'))
      const reloaded = await ask(host, 'reload')
      assert.match(reloaded.stdout, /umask: takes effect at the next start/, reloaded.stderr)
      assert.match(reloaded.stdout, /vrrp_process_name: takes effect at the next start/)
      assert.equal(host.read('/run/lab/reading'), null)
      await host.must('kill', [pid])
      await until(
        'it has ended',
        soonMs,
        async () => (await host.run('pgrep', ['-x', 'vipd'])).status === 1,
      )
      await run('lb-vrrp')
    }))
})

/** A changed priority is taken, with the interfaces of the namespace; another namespace or name is not. */
async function reloads(host: Host): Promise<void> {
  host.write('/run/lab/blue.conf', blue('net_namespace blue', 'priority 120'))
  const changed = await ask(host, 'reload')
  assert.match(changed.stdout, /VI_1: altered/, changed.stderr)
  for (const text of [
    blue('net_namespace green'),
    blue(''),
    blue('net_namespace blue').replace('edge', 'core'),
  ]) {
    host.write('/run/lab/blue.conf', text)
    const refused = await ask(host, 'reload', '--force')
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      /cannot change at a reload \(.* → .*\): restart the daemon.*needs-restart/,
    )
  }
  host.write('/run/lab/blue.conf', blue('net_namespace blue', 'priority 120'))
}
