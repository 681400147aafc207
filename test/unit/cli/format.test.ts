/** What `vipd status` and `vipd history` print, and what they judge. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHistory } from '../../../src/cli/command-history.ts'
import { narrowed } from '../../../src/cli/command-status.ts'
import { age, span, table } from '../../../src/cli/format.ts'
import { formatStatus, headline, type StatusView } from '../../../src/cli/format-status.ts'
import { degradations } from '../../../src/cli/health.ts'
import { likeKeepalived } from '../../../src/cli/like-keepalived.ts'
import type { PastClaim } from '../../../src/report/past-claim.ts'
import type { Status, StatusInstance } from '../../../src/report/status.ts'
import { aStatus, statusNow } from './a-status.ts'

const plain: StatusView = { now: statusNow, width: null, colour: false, full: false }

const withFirst = (change: Partial<StatusInstance>): Status => ({
  ...aStatus,
  instances: aStatus.instances.map((i, at) => (at === 0 ? { ...i, ...change } : i)),
})

test('ages are coarse, spans exact', () => {
  const day = 86_400_000
  const ages = [-5, 31, 99.6, 400, 12_345, 59_999, 312_000, 11_040_000, 3.2 * day, 12.9 * day]
  assert.deepEqual(ages.map(age), [
    '0ms',
    '31ms',
    '100ms',
    '0.4s',
    '12.3s',
    '59.9s',
    '5m12s',
    '3h04m',
    '3d04h',
    '12d',
  ])
  assert.deepEqual([10, 361.328, 999.99, 1_000, 3_609.375, 40_000].map(span), [
    '10ms',
    '361.3ms',
    '1000ms',
    '1s',
    '3.61s',
    '40s',
  ])
})

test('a configuration that was rejected, that has changed, that cannot be looked at', () => {
  const headlineOf = (config: Partial<Status['config']>): string =>
    formatStatus({ ...aStatus, config: { ...aStatus.config, ...config } }, plain).split('\n')[0] ??
    ''
  const reason = 'a.conf: it defines no instance [removes-all-instances]'
  const rejected = headlineOf({ lastReload: 'rejected', lastReloadReasons: [reason] })
  assert.ok(rejected.includes(`last reload REJECTED (${reason})`), rejected)
  assert.match(headlineOf({ unchangedOnDisk: false }), /CHANGED on disk since/)
  assert.match(headlineOf({ unchangedOnDisk: 'unknown' }), /file system does not answer/)
})

test('the whole table', () => {
  assert.equal(
    formatStatus(aStatus, plain),
    [
      'vipd 0.1.0 on lb1, up 12d · config /etc/vipd/vipd.conf ok, loaded 5h19m ago (unchanged on disk) · checks 1/1 up · upgraded 1h00m ago from vipd 0.0.9 in 640.5ms',
      'INSTANCE  VRID  IF    STATE   PRIO      MASTER        ADV    DETECT  LAST-ADV         SINCE  CHG  VIPS  WHY',
      'VI_web      51  eth0  MASTER  150       self          100ms  -       (sent 31ms ago)  3d04h    2  2/2   10.0.0.2 timed out',
      'VI_db       52  eth1  BACKUP  90 (100)  10.0.1.2/150  1s     3.64s   0.4s ago         12d      0  0/1   chk_pg failing (-10)',
      'GROUP  STATE   MEMBERS',
      'VG     MASTER  VI_web',
      'CHECK        STATE  SINCE  TOOK   RUNS  FAILED  LAST       HOW',
      'chk_haproxy  UP     3d00h  0.4ms  1000       3  connected  tcp 127.0.0.1:80',
      'BFD     NEIGHBOR  STATE  SINCE  TX     DETECT  LONGEST-GAP  CHG  WHY',
      'bfd/gw  10.0.0.2  Up     1h06m  100ms  300ms   117ms (39%)    2  No Diagnostic',
      'WARN  VI_db flapped 9 times in 1 h',
      '',
    ].join('\n'),
  )
})

test('one name: details, and nothing of the others', () => {
  const status = narrowed(aStatus, 'VI_web')
  assert.ok(status !== null)
  const text = formatStatus(status, { ...plain, full: true })
  assert.match(text, /VI_web: VRRP v3, IPv4\n {2}priority {4}150 = 150 base\n/)
  assert.match(text, / address {5}10\.0\.0\.100\/24 on eth0, present\n/)
  assert.match(text, / excluded {4}10\.0\.0\.101\/24 on eth0, present\n/)
  assert.match(
    text,
    / adverts {5}received 12, sent 2736000, missing 1 of 12 \(1 of the last 12\), longest gap 104\.2ms\n/,
  )
  assert.match(text, / rejected {4}bad-checksum 2\n/)
  assert.match(text, / 3d04h ago {2}BACKUP -> MASTER {2}10\.0\.0\.2 timed out\n/)
  assert.match(text, /chk_haproxy: tcp 127\.0\.0\.1:80\n/)
  assert.doesNotMatch(text, /VI_db/)
  assert.equal(narrowed(aStatus, 'nobody'), null)
  assert.deepEqual(
    narrowed(aStatus, 'VG')?.instances.map((i) => i.name),
    ['VI_web'],
  )
  assert.deepEqual(narrowed(aStatus, 'chk_haproxy')?.instances, [])
})

const claimed = {
  ...{ at: '2026-11-28T03:00:01.000Z', firstAt: '2026-11-28T03:00:00.000Z' },
  ...{ lastAt: '2026-11-28T03:04:00.000Z', address: '10.0.0.9', interface: 'eth0' },
  ...({ mac: '02:00:00:00:00:99', how: 'used', sameMac: false, count: 3, announced: 1 } as const),
  takeOver: null,
} satisfies PastClaim

test('claims of other machines stand among the transitions, by their time', () => {
  const [first] = aStatus.instances
  assert.ok(first !== undefined)
  const at = (minutes: number) => new Date(plain.now - minutes * 60_000).toISOString()
  const text = formatStatus(
    withFirst({
      history: first.history.slice(0, 1).map((it) => ({ ...it, at: at(30), why: 'later' })),
      claims: { ...first.claims, history: [{ ...claimed, at: at(90) }] },
    }),
    { ...plain, full: true },
  )
  assert.match(
    text,
    / 1h30m ago {2}10\.0\.0\.9 claimed by 02:00:00:00:00:99 on eth0 \(used\): 3 frames until 2026-11-28T03:04:00\.000Z, announced once\n +30m00s ago .* later\n/,
  )
})

test('a kernel lease, and what takes over before it ends', () => {
  const kernelLease = {
    ...({ state: 'answers', leaseMs: 300, why: null } as const),
    soonerTakeOvers: ['the peer misses bfd/b after 150 ms'],
  }
  const text = formatStatus(withFirst({ kernelLease }), { ...plain, full: true })
  assert.match(
    text,
    / lease {7}in force: the kernel answers, 300ms after an advert\n {2}sooner {6}the peer misses bfd/,
  )
})

test('every line fits a terminal; what matters most stays', () => {
  const why = 'a long story about a check and a link, told in one line '.repeat(3)
  for (const width of [80, 100, 120]) {
    const text = formatStatus({ ...withFirst({ why }), warnings: [] }, { ...plain, width })
    const [, ...lines] = text.split('\n')
    for (const line of lines) assert.ok(line.length <= width, `${width}: ${line}`)
    for (const title of ['INSTANCE', 'STATE', 'PRIO', 'MASTER', 'WHY'])
      assert.match(text, RegExp(title))
    assert.match(text, /…/)
  }
})

test('colours do not move columns, and control characters do not reach the terminal', () => {
  const esc = '\u001b'
  const coloured = formatStatus(aStatus, { ...plain, colour: true })
  assert.match(coloured, RegExp(`${esc}\\[32mMASTER`))
  assert.equal(coloured.replaceAll(RegExp(`${esc}\\[\\d+m`, 'g'), ''), formatStatus(aStatus, plain))
  const rude = withFirst({ why: `${esc}[2J`, name: 'a\nb' })
  assert.ok(!formatStatus(rude, { ...plain, full: true }).includes(esc))
})

test('a table without rows is its titles; right-aligned columns end together', () => {
  const columns = [
    { title: 'N', cell: (n: number) => String(n), right: true },
    { title: 'X', cell: () => 'x' },
  ]
  assert.deepEqual(table([], columns, null), ['N  X'])
  assert.deepEqual(table([1, 100], columns, null), ['  N  X', '  1  x', '100  x'])
})

test('all well, or what is not', () => {
  const well = { ...aStatus, warnings: [] }
  assert.deepEqual(degradations(well), [])
  assert.deepEqual(
    degradations({ ...withFirst({ state: 'FAULT', why: 'eth0 down' }), warnings: [] }),
    ['VI_web is in FAULT: eth0 down'],
  )
  const warned = { ...well, warnings: ['VI_web is MASTER, and so is 10.0.0.2 (priority 100)'] }
  assert.deepEqual(degradations(warned), warned.warnings)
  const down = { ...well, checks: well.checks.map((c) => ({ ...c, good: false })) }
  assert.deepEqual(degradations(down), ['check chk_haproxy is down'])
  const unused = { ...down, checks: down.checks.map((c) => ({ ...c, usedBy: [] })) }
  assert.deepEqual(degradations(unused), [])
})

test('history is one sequence over all instances, claims of other machines among it', () => {
  const told = [
    { instance: 'a', ...move('11:58:00', 'INIT', 'BACKUP') },
    { instance: 'b', ...move('11:59:00', 'BACKUP', 'MASTER') },
  ]
  assert.equal(
    formatHistory(
      { told, claims: [{ ...claimed, instance: 'a', at: '2026-03-01T11:58:30Z' }] },
      statusNow,
    ),
    [
      '2026-03-01T11:58:00Z     2m00s ago  a  INIT -> BACKUP  because\n',
      '2026-03-01T11:58:30Z     1m30s ago  a  10.0.0.9 claimed by 02:00:00:00:00:99 on eth0 (used): 3 frames until 2026-11-28T03:04:00.000Z, announced once\n',
      '2026-03-01T11:59:00Z     1m00s ago  b  BACKUP -> MASTER  because\n',
    ].join(''),
  )
})

const move = (at: string, from: string, to: string) => ({
  at: `2026-03-01T${at}Z`,
  from,
  to,
  why: 'because',
  cause: 'start' as const,
})

test('keepalived -t stands for vipd check', () => {
  const cases: [string, string][] = [
    ['-t -f x.conf', 'check -f x.conf'],
    ['-l -t -f x.conf', 'check -f x.conf'],
    ['--config-test -f x.conf', 'check -f x.conf'],
    ['--config-test=/tmp/log --use-file x.conf -i a', 'check --file x.conf -i a'],
    ['-t --use-file=x.conf', 'check --file=x.conf'],
    ['run -f x.conf', 'run -f x.conf'],
    ['check -f -t', 'check -f -t'],
    ['--help', '--help'],
  ]
  for (const [given, meant] of cases) {
    assert.equal(likeKeepalived(given.split(' ')).join(' '), meant)
  }
})

test('an upgrade that is under way, and the last when it was refused', () => {
  const running = { sinceMs: 400, pid: 4711, attempts: 1 }
  const refusal = { at: '2026-03-01T11:30:00.000Z', why: 'it has BFD sessions' }
  const upgrades = { ...aStatus.upgrades, running, lastRefusal: refusal }
  const text = headline({ ...aStatus, upgrades }, statusNow)
  assert.match(text, / · upgrade to process 4711 under way for 0\.4 ?s · upgraded 1h00m ago/)
  assert.match(text, / · upgrade REFUSED 30m00s ago \(it has BFD sessions\)/)
  const older = { ...upgrades, lastRefusal: { ...refusal, at: '2026-03-01T10:59:59.000Z' } }
  assert.doesNotMatch(headline({ ...aStatus, upgrades: older }, statusNow), /REFUSED/)
})
