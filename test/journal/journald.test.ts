/** A daemon whose standard error is the stream of a real journald, which runs in the host's namespaces. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import { program } from '../../src/lab/program.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from '../e2e/pair.ts'

const soonMs = 30_000
const vipd = program('../cli/run.js')

/** As systemd starts a service: a stream of its own as standard error, and its number in the environment. */
const asService = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect('/run/systemd/journal/stdout')
s.send(b'vipd\\n\\n6\\n1\\n0\\n0\\n0\\n')
os.dup2(s.fileno(), 2)
there = os.fstat(2)
os.environ['JOURNAL_STREAM'] = f'{there.st_dev}:{there.st_ino}'
os.execvp(sys.argv[1], sys.argv[1:])
`

type Entry = Readonly<Record<string, string>>

async function entries(host: Host, ...match: string[]): Promise<readonly Entry[]> {
  const words = ['--no-pager', '-o', 'json', '-D', '/run/log/journal', ...match]
  const { stdout } = await host.run('journalctl', words)
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line) as Entry)
}

async function hostWithJournald(lab: Parameters<Parameters<typeof inLab>[1]>[0]): Promise<Host> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  await host.sh(`mkdir -p /run/systemd/journal /run/log/journal
    echo 0123456789abcdef0123456789abcdef > /run/lab/machine-id
    mount --bind /run/lab/machine-id /etc/machine-id`)
  host.spawn('/lib/systemd/systemd-journald', [], { name: 'journald' })
  // Of a stream the file is there before it is listened to, which is the flag.
  const listens = "grep -q '00010000 .* /run/systemd/journal/stdout$' /proc/net/unix"
  await until('journald listens', soonMs, async () => {
    const there = `${listens} && test -S /run/systemd/journal/socket`
    return (await host.run('sh', ['-c', there])).status === 0
  })
  return host
}

/** The first entry that is so, once there is one. */
const told = (what: string, look: () => Promise<readonly Entry[]>): Promise<Entry> =>
  until(what, soonMs, async () => (await look())[0])

/** Its programs bear its name until they are executed. */
const daemonOf = async (host: Host): Promise<string> =>
  (await host.must('pgrep', ['-o', '-x', 'vipd'])).trim()

const start = (host: Host, name: string, ...words: string[]) =>
  host.spawn(
    'python3',
    ['-c', asService, process.execPath, vipd, 'run', '-f', '/run/lab/vipd.conf', ...words],
    { name },
  )

test('transitions have fields, the warden’s lines a priority, and journalctl finds them', () =>
  inLab('journald', async (lab) => {
    const host = await hostWithJournald(lab)
    const before = 'vrrp_script no {\n script /bin/false\n interval 1\n rise 1\n}'
    host.write(
      '/run/lab/vipd.conf',
      conf({
        ...{ priority: 100, before, globals: 'vipd_history /run/lab/kept' },
        more: 'track_script {\n no weight -5\n }',
      }),
    )
    const child = start(host, 'vipd')
    const leads = () => entries(host, 'SYSLOG_IDENTIFIER=vipd', 'VIPD_TO=master')
    const entry = await told('it leads', leads)
    assert.match(entry['MESSAGE'] ?? '', /^\(VI_1\) Entering MASTER STATE: no master heard/)
    // By its number: the name of a process journald looks up once a second at most, and this one begins under another.
    const pid = await daemonOf(host)
    assert.deepEqual(
      ['PRIORITY', 'VIPD_INSTANCE', 'VIPD_FROM', 'VIPD_CAUSE', '_PID', '_TRANSPORT'].map(
        (name) => entry[name],
      ),
      ['6', 'VI_1', 'backup', 'timeout', pid, 'journal'],
    )
    assert.match(entry['VIPD_TRANSITION'] ?? '', /^[1-9]$/)
    // The number that `vipd history` tells leads from one to the other.
    const known = await until('its history', soonMs, async () => {
      // It leads before it answers.
      const ran = await host.run(process.execPath, [vipd, 'history', 'VI_1', '--json'])
      return ran.status === 0 ? ran.stdout : null
    })
    const [{ history = [] } = {}] = JSON.parse(known) as { history?: { number: number }[] }[]
    for (const { number } of history)
      assert.equal((await entries(host, `VIPD_NUMBER=${number}`)).length, 1, `${number}`)
    assert.equal(`${history.at(-1)?.number}`, entry['VIPD_NUMBER'])
    assert.match(entry['VIPD_CAUSE_DETAIL'] ?? '', /^\{"kind":"timeout"/)
    // It may lead before its first check is over.
    const says = async (match: readonly string[], what: RegExp) =>
      (await entries(host, ...match)).filter((it) => what.test(it['MESSAGE'] ?? ''))
    await told('the check failed', () => says(['VIPD_CHECK=no'], /^VRRP_Script\(no\) failed/))
    // The script security of the file is a warning.
    await told('the warning', () =>
      says(['SYSLOG_IDENTIFIER=vipd', 'PRIORITY=4'], /script-security/),
    )

    await host.must('kill', ['-9', pid])
    await child.ended(soonMs)
    // Not by its name (_COMM): journald asks the kernel for that, and the warden ends with this line.
    const byWarden = () => says(['PRIORITY=3', 'VIPD_INSTANCE=VI_1'], /^vipd-warden: /)
    const end = await told('the warden has told it', byWarden)
    assert.deepEqual(
      ['MESSAGE', 'VIPD_CAUSE', 'VIPD_FROM', 'SYSLOG_IDENTIFIER', '_TRANSPORT'].map(
        (it) => end[it],
      ),
      [
        ...['vipd-warden: the daemon is gone: gave up leadership of VI_1', 'daemon-gone'],
        ...['master', 'vipd', 'journal'],
      ],
    )
    assert.equal(await host.holds('172.16.80.100'), false)
  }))

test('with --log-format json each line is JSON: the daemon’s and the warden’s', () =>
  inLab('journald-json', async (lab) => {
    const host = await hostWithJournald(lab)
    host.write('/run/lab/vipd.conf', conf({ priority: 100 }))
    const child = start(host, 'vipd', '--log-format', 'json')
    const all = () => entries(host, 'SYSLOG_IDENTIFIER=vipd')
    const has = (what: RegExp) => async () =>
      (await all()).some((it) => what.test(it['MESSAGE'] ?? ''))
    await until('it leads', soonMs, has(/Entering MASTER STATE/))
    await host.must('kill', ['-9', await daemonOf(host)])
    await child.ended(soonMs)
    await until('the warden has told it', soonMs, has(/"level":"error".*daemon/))
    for (const { MESSAGE = '' } of await all())
      assert.equal(typeof JSON.parse(MESSAGE).msg, 'string', MESSAGE)
  }))
