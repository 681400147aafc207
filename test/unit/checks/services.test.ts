/** Probes that speak a service's own protocol, each against the real server, and against what goes wrong. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { until as lookUntil } from '../../../src/lab/wait.ts'
import { directory, freePort, said, serve } from './asking.ts'

chmodSync(directory, 0o755)

/** Ended with the tests. */
function start(file: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(file, args, { cwd: '/', stdio: 'ignore' })
  after(() => child.kill('SIGKILL'))
  return child
}

const asRoot = process.getuid?.() === 0

/** Servers that refuse to be root. */
function asUser(user: string, file: string, args: readonly string[]): [string, ...string[]] {
  if (!asRoot) return [file, ...args]
  return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--', file, ...args]
}

function folderOf(user: string, name: string): string {
  const path = join(directory, name)
  mkdirSync(path)
  if (asRoot) execFileSync('chown', [user, path])
  return path
}

/** Asks until the answer is this one: a server that starts has no event for us. */
async function until(line: string, wanted: RegExp): Promise<string> {
  const answers = async () => {
    const answer = await said(line)
    return wanted.test(answer) ? answer : null
  }
  return await lookUntil(`${line}: ${wanted}`, 60_000, answers)
}

/** So many connections that say nothing. */
function crowd(port: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    after(() => socket.destroy())
  }
}

test('udp: an answer, another one, none, and a closed port', async () => {
  const server = createSocket('udp4')
  server.on('message', (data, from) => {
    if (data.toString() !== 'quiet') server.send(`pong ${data}`, from.port, from.address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  after(() => server.close())
  const to = `udp 127.0.0.1:${server.address().port}`
  assert.equal(await said(`${to} send ping`), 'yes answered')
  assert.equal(await said(`${to} send ping expect "pong ping"`), 'yes answered as expected')
  assert.equal(await said(`${to} send x expect OK`), "no 'OK' is not in the answer 'pong x'")
  assert.equal(await said(`${to} send quiet`, 50), 'timeout')
  assert.equal(await said(`udp 127.0.0.1:${await freePort()} send x`), 'no connection refused')
  assert.equal(
    await said('udp no.such.name.invalid:1', 2_000),
    'no unknown host no.such.name.invalid',
  )
})

test('icmp: an echo, no host there, and no way there', async () => {
  if (!asRoot) {
    assert.equal(await said('icmp 127.0.0.1'), 'unable icmp needs CAP_NET_RAW')
    return
  }
  assert.equal(await said('icmp 127.0.0.1'), 'yes echo reply')
  assert.equal(await said('icmp [::1] size 0'), 'yes echo reply')
  assert.equal(await said('icmp localhost size 1400'), 'yes echo reply')
  assert.match(
    await said('icmp 255.255.255.255', 100),
    /^no (not permitted|permission denied|network unreachable)$/,
  )
  assert.match(
    await said('icmp [2001:db8::1]', 100),
    /^(no (network unreachable|no route to host)|timeout)/,
  )
})

test('dns: a real server; records, codes, an answer that does not fit, and a stranger', async () => {
  const port = await freePort()
  const long = Array.from({ length: 60 }, (_, i) => `--host-record=many.test,10.9.0.${i + 1}`)
  const records = [
    '--host-record=www.test,10.1.2.3,fd00::1',
    '--txt-record=www.test,hello',
    '--mx-host=test,mail.test,10',
  ]
  const quiet = [
    '--no-resolv',
    '--no-hosts',
    '--no-daemon',
    '--local=/test/',
    '--conf-file=/dev/null',
  ]
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--pid-file=']
  start('dnsmasq', ...quiet, ...where, ...records, ...long, '--user=nobody')
  const at = `@127.0.0.1:${port}`
  assert.equal(await until(`dns www.test ${at}`, /^yes/), 'yes 10.1.2.3')
  assert.equal(await said(`dns www.test ${at} AAAA`), 'yes fd00::1')
  assert.equal(await said(`dns www.test TXT ${at} answer ^hello$`), 'yes hello')
  assert.equal(await said(`dns test ${at} MX answer "10 mail"`), 'yes 10 mail.test')
  assert.equal(
    await said(`dns www.test ${at} answer ^10.9`),
    'no www.test is 10.1.2.3, not /^10.9/',
  )
  assert.equal(await said(`dns www.test ${at} SRV`), 'no www.test has no SRV record')
  assert.equal(await said(`dns nobody.test ${at}`), 'no NXDOMAIN for nobody.test')
  assert.equal(await said(`dns nobody.test ${at} rcode NXDOMAIN`), 'yes NXDOMAIN')
  assert.equal(await said(`dns www.example ${at}`), 'no REFUSED for www.example')
  assert.match(await said(`dns many.test ${at} answer 10.9.0.60`), /^yes 10\.9\.0\.\d/, 'over TCP')
  assert.equal(await said(`dns www.test @127.0.0.1:${await freePort()}`), 'no connection refused')
})

test('dns: what is no answer', async () => {
  const server = createSocket('udp4')
  const answers: Readonly<Record<string, (id: Buffer) => Buffer>> = {
    short: (id) => Buffer.concat([id, Buffer.from([0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0])]),
    query: (id) => Buffer.concat([id, Buffer.alloc(10)]),
    circle: (id) => Buffer.concat([id, Buffer.from([0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12])]),
    other: () => Buffer.alloc(12),
  }
  server.on('message', (data, from) => {
    const name = data.toString('latin1', 13, 13 + (data[12] ?? 0))
    const answer = answers[name]?.(data.subarray(0, 2))
    if (answer !== undefined) server.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  after(() => server.close())
  const at = `@127.0.0.1:${server.address().port}`
  assert.equal(await said(`dns short ${at}`), 'no not a DNS answer: it is cut off')
  assert.equal(await said(`dns query ${at}`), 'no not a DNS answer: it is a query')
  assert.equal(await said(`dns circle ${at}`), 'no not a DNS answer: a name points nowhere')
  assert.equal(await said(`dns other ${at}`, 60), 'timeout', 'an answer to another question')
})

test('postgres: a real server, one without room, one that is something else', async () => {
  const data = folderOf('postgres', 'pg')
  const versions = readdirSync('/usr/lib/postgresql').map(Number).filter(Number.isFinite)
  const bin = `/usr/lib/postgresql/${Math.max(...versions)}/bin`
  const port = await freePort()
  const secret = join(directory, 'secret')
  writeFileSync(secret, 'secret\n')
  const made = ['-D', data, '-A', 'scram-sha-256', '-U', 'boss', `--pwfile=${secret}`, '--no-sync']
  const [file = '', ...args] = asUser('postgres', `${bin}/initdb`, made)
  execFileSync(file, args, { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] })
  const options = [
    '-D',
    data,
    '-p',
    String(port),
    '-h',
    '127.0.0.1',
    '-k',
    data,
    '-c',
    'max_connections=4',
    '-c',
    'superuser_reserved_connections=1',
    '-c',
    'max_wal_senders=0',
  ]
  start(...asUser('postgres', `${bin}/postgres`, options))
  assert.equal(await until(`postgres 127.0.0.1:${port}`, /^yes/), 'yes takes connections')
  assert.equal(await said(`postgres ${data}/.s.PGSQL.${port} user boss`), 'yes takes connections')
  // Connections that say nothing count before they have logged in.
  crowd(port, 60)
  assert.match(
    await until(`postgres 127.0.0.1:${port}`, /^no/),
    /^no sorry, too many clients already \(53300\)$/,
  )
  const other = await serve((socket) => socket.end('HTTP/1.0 400 Bad Request\r\n'))
  assert.match(await said(`postgres 127.0.0.1:${other}`), /^no not a PostgreSQL server: 'HTTP/)
  const gone = await serve((socket) => socket.end())
  assert.equal(await said(`postgres 127.0.0.1:${gone}`), 'no closed without an answer')
  const half = await serve((socket) => socket.end(Buffer.from([0x52, 0, 0, 0, 8])))
  assert.equal(await said(`postgres 127.0.0.1:${half}`), 'no closed in the middle of an answer')
  const starting = await serve((socket) => {
    const fields = Buffer.from('SFATAL\0C57P03\0Mthe database system is starting up\0\0')
    const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4])
    socket.end(Buffer.concat([head, fields]))
  })
  assert.equal(
    await said(`postgres 127.0.0.1:${starting}`),
    'no the database system is starting up (57P03)',
  )
})

test('mysql: a real server, which is not annoyed by being asked; one without room; another', async () => {
  const data = folderOf('nobody', 'mysql')
  const port = await freePort()
  const own = ['--no-defaults', `--datadir=${data}`, ...(asRoot ? ['--user=nobody'] : [])]
  execFileSync(
    'mariadb-install-db',
    [...own, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { stdio: 'ignore' },
  )
  const quiet = ['--skip-log-bin', '--innodb-buffer-pool-size=8M', `--pid-file=${data}/pid`]
  const init = join(directory, 'init.sql')
  writeFileSync(init, "DELETE FROM mysql.global_priv WHERE User = '';\nFLUSH PRIVILEGES;\n")
  const where = [
    `--init-file=${init}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${data}/s`,
    '--max-connect-errors=1',
    '--max-connections=10',
  ]
  start('mariadbd', ...own, ...quiet, ...where)
  const to = `mysql 127.0.0.1:${port}`
  assert.match(await until(to, /^yes/), /MariaDB.* \(Access denied for user 'vipd'@.*\(1045\)\)$/)
  assert.match(await said(`${to} user root`), /^yes [\d.]+-MariaDB[^(]*$/)
  assert.match(await said(`mysql ${data}/s user root`), /^yes [\d.]+-MariaDB/)
  for (let i = 0; i < 5; i++) assert.match(await said(to), /^yes/, 'one error of a host is allowed')
  crowd(port, 14)
  assert.match(await until(to, /^no/), /^no Too many connections \(1040\)$/)
  const other = await serve((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  assert.match(await said(`mysql 127.0.0.1:${other}`), /^no not a MySQL server: 'SSH/)
  const silent = await serve(() => undefined)
  assert.equal(await said(`mysql 127.0.0.1:${silent}`, 50), 'timeout')
})

test('haproxy: a server that is up, down and in maintenance, and a backend as a whole', async () => {
  const web = await serve((socket) => socket.end())
  const socket = join(directory, 'haproxy.sock')
  const file = join(directory, 'haproxy.cfg')
  writeFileSync(
    file,
    `global
  stats socket ${socket} level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
backend web
  server good 127.0.0.1:${web} check inter 50
  server bad 127.0.0.1:${await freePort()} check inter 50 fall 1
  server off 127.0.0.1:${web} check disabled
  server plain 127.0.0.1:${web}
backend dead
  server bad 127.0.0.1:${await freePort()} check inter 50 fall 1
`,
  )
  start('haproxy', '-db', '-f', file)
  assert.match(await until(`haproxy ${socket} web/bad`, /DOWN/), /^no bad is DOWN \(.*L4CON/)
  assert.match(await said(`haproxy ${socket} web/good`), /^yes good is UP \(.*L4OK/)
  assert.equal(await said(`haproxy ${socket} web/plain`), 'yes plain is no check')
  assert.match(await said(`haproxy ${socket} web/off`), /^no off is MAINT/)
  assert.equal(await said(`haproxy ${socket} web`), 'yes web is UP')
  assert.equal(await until(`haproxy ${socket} dead`, /DOWN/), 'no dead is DOWN')
  assert.equal(await said(`haproxy ${socket} web/none`), 'no backend web has no server none')
  assert.match(
    await said(`haproxy ${socket} none/x`),
    /^no (no backend none|not HAProxy's runtime API)/,
  )
  const other = await serve((connection) => connection.end('HTTP/1.0 400 no\n\n'))
  assert.match(await said(`haproxy 127.0.0.1:${other} web`), /^no not HAProxy's runtime API: 'HTTP/)
  assert.equal(await said(`haproxy ${socket}.not web`), 'no no such socket')
})
