/** What Prometheus reads: the form of the text, and the names and values that dashboards depend on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { gapBucketFromUs } from '../../../src/engine/gaps.ts'
import { gapsUpTo } from '../../../src/router/dispatch/gaps-up-to.ts'
import { exposition } from '../../../src/surfaces/metrics/exposition.ts'
import { metricsText } from '../../../src/surfaces/metrics/metrics.ts'
import { aStatus } from '../cli/a-status.ts'

test('labels and help are escaped, numbers are written as the format has them, empty families are left out', () => {
  const sample = (value: number) => ({ labels: { a: 'x"\\\n' }, value })
  const text = exposition(
    [
      { name: 'none', help: '', type: 'gauge', samples: [] },
      {
        name: 'one',
        help: 'a\\b\nc',
        type: 'gauge',
        samples: [sample(Number.NaN), sample(-1 / 0)],
      },
      {
        ...{ name: 'h', help: 'x', type: 'histogram' },
        series: [
          {
            ...{ labels: { i: 1 }, sum: 2.5 },
            upTo: [
              { bound: 0.5, count: 1 },
              { bound: null, count: 3 },
            ],
          },
        ],
      },
    ],
    'text',
  )
  assert.equal(
    text,
    [
      '# HELP one a\\\\b\\nc',
      '# TYPE one gauge',
      'one{a="x\\"\\\\\\n"} NaN',
      'one{a="x\\"\\\\\\n"} -Inf',
      '# HELP h x',
      '# TYPE h histogram',
      'h_bucket{i="1",le="0.5"} 1',
      'h_bucket{i="1",le="+Inf"} 3',
      'h_sum{i="1"} 2.5',
      'h_count{i="1"} 3',
      '',
    ].join('\n'),
  )
})

const facts = {
  ...{ cpuSeconds: 1.5, residentBytes: 80_000_000, openDescriptors: null },
  loopDelay: { median: 0, p99: 0.002, max: 0.004 },
}
const lines = metricsText(
  { status: aStatus, facts, atMs: 1_772_366_400_000, exemplarOf: () => null },
  'text',
).split('\n')
const has = (...wanted: readonly string[]) => {
  for (const line of wanted)
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`)
}

test('the names of keepalived-exporter, with its labels', () => {
  const web = 'iname="VI_web",intf="eth0",vrid="51"'
  has(
    'keepalived_up 1',
    `keepalived_become_master_total{${web}} 1`,
    `keepalived_release_master_total{${web}} 0`,
    `keepalived_gratuitous_arp_delay_total{${web}} 5`,
    `keepalived_priority_zero_sent_total{${web}} 1`,
    `keepalived_ip_ttl_errors_total{${web}} 0`,
  )
  const states = lines.filter((line) => line.startsWith('keepalived_vrrp_state{iname="VI_web"'))
  const [web1] = aStatus.instances
  const own = web1?.addresses.filter(({ excluded }) => !excluded) ?? []
  assert.equal(states.length, own.length)
  for (const line of states) assert.match(line, /ip_address="10\.0\.0\.\d+(\/24)?"\} 2$/)
})

test('vipd’s own names', () => {
  has(
    'vipd_engine_wakeup_late_seconds_bucket{le="0.0001"} 400',
    'vipd_engine_wakeup_late_seconds_bucket{le="+Inf"} 411',
    'vipd_engine_wakeup_late_seconds_sum 0.0315',
    'vipd_warden_up 1',
    'vipd_warden_restarts_total 1',
    'vipd_notify_started_total{kind="script"} 5',
    'vipd_notify_runs_total{kind="script",result="failed"} 1',
    'vipd_notify_runs_total{kind="script",result="dropped"} 4',
    'vipd_notify_duration_seconds_bucket{kind="script",le="0.1"} 2',
    'vipd_notify_duration_seconds_count{kind="script"} 3',
    'vipd_notify_queue_length 1',
    'vipd_instance_state{iname="VI_web",state="MASTER"} 1',
    'vipd_instance_state{iname="VI_web",state="FAULT"} 0',
    'vipd_instance_transitions_total{iname="VI_web",from="BACKUP",to="MASTER",cause="timeout"} 1',
    'vipd_adverts_rejected_total{iname="VI_web",reason="bad-checksum"} 2',
    'vipd_advert_gap_seconds_bucket{iname="VI_web",le="+Inf"} 1200',
    'vipd_drained 0',
    'vipd_eventloop_delay_seconds{kind="p99"} 0.002',
    'process_resident_memory_bytes 80000000',
  )
  assert.ok(
    !lines.some((line) => line.startsWith('process_open_fds')),
    'what is not known is not told',
  )
})

test('the bounds of pauses are edges of the engine’s buckets, so that every count is exact', () => {
  const histogram = Array.from({ length: 96 }, (_, i) => (i < 60 ? 1 : 0))
  const upTo = gapsUpTo(histogram, us(1_000_000))
  assert.deepEqual(upTo.at(-1), { untilMs: null, count: 60 })
  for (const { untilMs, count } of upTo.slice(0, -1)) {
    const below = histogram.filter((n, i) => n > 0 && gapBucketFromUs(i) < (untilMs ?? 0) * 1_000)
    assert.equal(count, below.length)
  }
  const bounds = upTo.map(({ untilMs }) => untilMs ?? Number.POSITIVE_INFINITY)
  assert.deepEqual(
    bounds,
    [...bounds].sort((a, b) => a - b),
  )
  for (const [i, multiple] of [0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3].entries())
    assert.ok((bounds[i] ?? 0) >= multiple * 1_000 && (bounds[i] ?? 0) < multiple * 1_300)
  assert.deepEqual(gapsUpTo(Array(96).fill(0), us(10_000)).at(-1), { untilMs: null, count: 0 })
})
