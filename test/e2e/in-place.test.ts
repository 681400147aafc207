/** vipd under the name keepalived, beside the real one: exit statuses, background, pid files, syslog, signals. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const good = conf({ priority: 100, globals: 'enable_script_security' })
const files = {
  good,
  mistake: good.replace('advert_int', 'bogus 3\n  advert_int'),
  operand: 'vrrp_instance VI_1 {\n  interface\n}\n',
  insecure: `vrrp_script a {\n  script "/bin/true"\n}\n${conf({ priority: 100, more: 'track_script {\n a\n }' })}`,
}

/** A host in which `/run/lab/bin/keepalived` is vipd. */
async function hostWithBoth(lab: Lab): Promise<Host> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  await host.sh(
    `mkdir -p /run/lab/bin && ln -s ${program('../cli/run.js')} /run/lab/bin/keepalived`,
  )
  for (const [name, text] of Object.entries(files)) host.write(`/run/lab/${name}.conf`, text)
  return host
}

const ours = '/run/lab/bin/keepalived'

/** keepalived's words with their status there; what is the same is not listed twice. */
const sameStatus: readonly string[] = [
  '-t -f /run/lab/good.conf',
  '-t -f /run/lab/mistake.conf',
  '-t -f /run/lab/operand.conf',
  '-t -f /run/lab/insecure.conf',
  '-l -n -t -f /run/lab/mistake.conf',
  '-nld -t -f /run/lab/good.conf',
  '--config-test=/run/lab/report -f /run/lab/mistake.conf',
  '--use-file /run/lab/good.conf --config-te',
  '-S 9 -t -f /run/lab/good.conf',
  '-u 999 -t -f /run/lab/good.conf',
  '-t -f /run/lab/good.conf extra',
  '-C -t -f /run/lab/good.conf',
  '-f',
  '--pid',
  '-z',
  '--bogus',
  '-g /run/lab/log -t -f /run/lab/good.conf',
  '-n -l -f /run/lab/absent.conf',
  '-n -l -f /run/lab/operand.conf',
  '--signum=DATA',
  '--signum=STATS',
  '--signum=JSON',
  '--signum=STATS_CLEAR',
  '--signum=bogus',
  '-v',
  '--version',
  '-h',
]

describe('in keepalived’s place', { concurrency: 2 }, () => {
  test('the same words have the same exit status', () =>
    inLab('status', async (lab) => {
      const host = await hostWithBoth(lab)
      for (const line of sameStatus) {
        const words = line.split(' ')
        const [real, vipd] = [await host.run('keepalived', words), await host.run(ours, words)]
        assert.equal(
          vipd.status,
          real.status,
          `${line}: ${vipd.stderr}\nkeepalived: ${real.stderr}`,
        )
        if (line.startsWith('--signum')) assert.equal(vipd.stdout, real.stdout, line)
      }
      const version = await host.run(ours, ['-v'])
      assert.match(version.stderr, /^Keepalived v\d+\.\d+\.\d+ \(/)
      assert.match((await host.run(ours, ['--version'])).stderr, /--enable-json/)
    }))

  test('in the background: the pid files, the log in syslog, a second start, every signal, the stop', () =>
    inLab('background', async (lab) => {
      const host = await hostWithBoth(lab)
      const syslog = await receiveSyslog(host)
      const started = await host.run(ours, ['-D', '-m', '-S', '3', '-f', '/run/lab/good.conf'])
      assert.equal(started.status, 0, started.stderr)
      const pid = host.read('/run/keepalived.pid')
      assert.match(pid ?? '', /^\d+\n$/)
      assert.equal(host.read('/run/vrrp.pid'), pid)
      const tag = `<158>... .. ..:..:.. Keepalived_vrrp\\[${pid?.trim()}\\]: `
      await syslog.line(RegExp(`${tag}\\(VI_1\\) Entering MASTER STATE`), soonMs)
      assert.ok(await host.holds('172.16.80.100'))
      await host.must('pidof', ['keepalived'])
      // `-m`: nothing of the user's limit is left out.
      const limits = await host.sh(`cat /proc/${Number(pid)}/limits`)
      const [, soft, hard] = /Max core file size +(\S+) +(\S+)/.exec(limits) ?? []
      assert.equal(soft, hard)
      await secondStart(host, syslog)
      await survivesSignals(host, Number(pid))
      await host.must('kill', ['-TERM', `${Number(pid)}`])
      await syslog.line(/\(VI_1\) Entering STOPPED STATE/, soonMs)
      await until('the pid files are gone', soonMs, () => host.read('/run/vrrp.pid') === null)
      assert.equal(host.read('/run/keepalived.pid'), null)
      assert.equal(await host.holds('172.16.80.100'), false)
    }))

  test('a configuration that cannot run is told by the program in front', () =>
    inLab('front', async (lab) => {
      const host = await hostWithBoth(lab)
      const ran = await host.run(ours, ['-f', '/run/lab/operand.conf'])
      assert.equal(ran.status, 2)
      assert.equal(host.read('/run/keepalived.pid'), null)
    }))

  test('several on one host by their pid files, relative paths, and another network namespace', () =>
    inLab('several', async (lab) => {
      const host = await hostWithBoth(lab)
      host.write(
        '/run/lab/other.conf',
        files.good.replace('id 51', 'id 52').replace('.100', '.101'),
      )
      const start = async (words: string) => {
        const ran = await host.run('sh', ['-c', `cd /run/lab && exec ${ours} ${words}`])
        assert.equal(ran.status, 0, `${words}: ${ran.stderr}`)
      }
      await start('-G -f good.conf -p a.pid -r a-vrrp.pid')
      await start('-G -f other.conf -p b.pid -r b-vrrp.pid')
      for (const address of ['172.16.80.100', '172.16.80.101'])
        await host.awaitAddress(address, true, soonMs)
      await host.sh('ip netns add blue; ip -n blue link set lo up')
      await host.sh('ip link add v0 type veth peer name eth0 netns blue; ip link set v0 up')
      await host.sh('ip -n blue link set eth0 up; ip -n blue address add 172.16.80.9/24 dev eth0')
      await start('-G -f good.conf -s blue')
      assert.match(host.read('/run/keepalived/blue/keepalived.pid') ?? '', /^\d+\n$/)
      await until('master in the other namespace', soonMs, async () =>
        (await host.must('ip', ['-n', 'blue', '-br', 'address'])).includes('172.16.80.100'),
      )
      // By the configuration alone, as keepalived has it: in a namespace, and by name.
      host.write(
        '/run/lab/named.conf',
        `net_namespace blue\ninstance foo\n${files.good.replace('id 51', 'id 53').replace('.100', '.102')}`,
      )
      host.write(
        '/run/lab/pid-dir.conf',
        `use_pid_dir\n${files.good.replace('id 51', 'id 54').replace('.100', '.103')}`,
      )
      await start('-G -f named.conf')
      await start('-G -f pid-dir.conf')
      const pidFiles = [
        'lab/a.pid',
        'lab/b.pid',
        'keepalived/blue/keepalived.pid',
        'keepalived/blue/keepalived_foo.pid',
        'keepalived/keepalived.pid',
      ]
      assert.deepEqual(
        ['keepalived/blue/vrrp_foo.pid', 'keepalived/vrrp.pid'].map((file) =>
          host.read(`/run/${file}`),
        ),
        pidFiles.slice(-2).map((file) => host.read(`/run/${file}`)),
      )
      // The real keepalived finds the same files: it says that a daemon is running.
      for (const file of ['named', 'pid-dir'])
        assert.match(
          (await host.run('keepalived', ['-n', '-l', '-f', `/run/lab/${file}.conf`])).stderr,
          /daemon is already running/,
        )
      for (const file of pidFiles) {
        await host.sh(`kill $(cat /run/${file})`)
        await until(`${file} is gone`, soonMs, () => host.read(`/run/${file}`) === null)
      }
    }))
})

async function secondStart(host: Host, syslog: Child): Promise<void> {
  const from = syslog.mark
  const again = await host.run(ours, ['-n', '-f', '/run/lab/good.conf'])
  assert.equal(again.status, 0)
  await syslog.line(/daemon is already running/, soonMs, from)
  // keepalived itself sees it too.
  const real = await host.run('keepalived', ['-n', '-f', '/run/lab/good.conf'])
  assert.equal(real.status, 0)
}

/** What an exporter, or an operator, may send to keepalived: none ends it or takes its address away. */
async function survivesSignals(host: Host, pid: number): Promise<void> {
  const realTime = Array.from({ length: 31 }, (_, i) => `${34 + i}`)
  for (const signal of ['USR1', 'USR2', 'HUP', 'PIPE', 'ALRM', ...realTime])
    await host.must('kill', ['-s', signal, `${pid}`])
  const status = await host.run(process.execPath, [program('../cli/run.js'), 'status', '--json'])
  assert.equal(JSON.parse(status.stdout).pid, pid)
  assert.equal(JSON.parse(status.stdout).instances[0].state, 'MASTER')
}

const receiver = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('/dev/log')
print('listening', flush=True)
while True:
    print(s.recv(65536).decode(), flush=True)
`

/** Every datagram that arrives at the host's /dev/log, a line each. Python builds the addon, so it is there. */
async function receiveSyslog(host: Host): Promise<Child> {
  const keep = 'null zero full random urandom'
  await host.sh(`mkdir /run/lab/dev; cd /run/lab/dev
    for n in ${keep}; do touch $n; mount --bind /dev/$n $n; done; mount --rbind /run/lab/dev /dev`)
  const child = host.spawn('python3', ['-c', receiver], { name: 'syslog' })
  await child.line(/listening/, soonMs)
  return child
}
