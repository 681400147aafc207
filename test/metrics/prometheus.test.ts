/** The real Prometheus and its promtool: the text, the alerts, and the queries of dashboards. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { until } from '../../src/lab/wait.ts'
import { packageRoot } from '../config/ask-both.ts'
import { aStatus } from '../unit/cli/a-status.ts'
import { ask } from '../unit/surfaces/http-client.ts'
import { serving } from '../unit/surfaces/http-daemon.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-prometheus-'))
// Prometheus may still write while it ends.
after(() => rmSync(dir, { recursive: true, maxRetries: 10, retryDelay: 100 }))
const contrib = (path: string) => join(packageRoot, 'contrib', path)

const promtool = (args: readonly string[], input = '') => {
  const done = spawnSync('promtool', args, { encoding: 'utf8', input })
  if (done.error !== undefined) throw done.error
  return `${done.status}: ${done.stdout}${done.stderr}`
}

const listener = (port: number) => ({
  address: { kind: 'tcp', host: '127.0.0.1', port } as const,
  ...{ readToken: null, actionToken: null, tls: null, names: [] },
})

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const at = server.address()
      server.close(() => resolve(typeof at === 'object' && at !== null ? at.port : 0))
    })
  })

test('promtool finds nothing wrong with the text but the exporter’s own name', async () => {
  const port = await freePort()
  await serving([listener(port)], async () => {
    const { status, body, headers } = await ask(port, '/metrics')
    assert.equal(status, 200)
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/)
    assert.match(promtool(['check', 'metrics'], body), /^0: $/)
    // What Prometheus is told by default; promtool reads the other form alone.
    const Accept = 'application/openmetrics-text;version=1.0.0'
    const other = await ask(port, '/metrics', { headers: { Accept } })
    assert.match(String(other.headers['content-type']), /^application\/openmetrics-text/)
  })
})

test('the alerts are rules of Prometheus, and say what they shall when they shall', () => {
  assert.match(promtool(['check', 'rules', contrib('prometheus/vipd.rules.yml')]), /^0: /)
  assert.match(promtool(['test', 'rules', contrib('prometheus/vipd.rules.test.yml')]), /SUCCESS/)
})

/** What the panels of the exporter's own dashboard ask for. */
const exporters = [
  'keepalived_up',
  'keepalived_vrrp_state{iname=~".+", ip_address!=""}',
  'sum by (iname) (keepalived_become_master_total)',
  'rate(keepalived_advertisements_received_total[1m])',
  'rate(keepalived_advertisements_sent_total[1m])',
  'keepalived_priority_zero_received_total + keepalived_priority_zero_sent_total',
  'keepalived_gratuitous_arp_delay_total',
  'keepalived_script_status',
  'keepalived_script_state',
  ...['packet_length_errors', 'advertisements_interval_errors', 'ip_ttl_errors'].map(
    (name) => `keepalived_${name}_total`,
  ),
  ...['invalid_type_received', 'address_list_errors', 'authentication_invalid'].map(
    (name) => `keepalived_${name}_total`,
  ),
  'keepalived_authentication_mismatch_total + keepalived_authentication_failure_total',
]

type Panel = { readonly title: string; readonly targets: readonly { readonly expr: string }[] }

const ours = (): readonly string[] => {
  const text = readFileSync(contrib('grafana/vipd.json'), 'utf8')
  const { panels } = JSON.parse(text) as { panels: readonly Panel[] }
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$job', 'vipd').replaceAll('$host', '.*')),
  )
}
/** These have an answer only where something is wrong. */
const quiet = /rejected/

test('Prometheus scrapes, and every query of both dashboards is answered', async () => {
  const [port, at] = [await freePort(), await freePort()]
  const [web] = aStatus.instances
  const [kind] = web?.transitionCounts ?? []
  assert.ok(web && kind)
  await serving([listener(port)], async (daemon) => {
    writeFileSync(
      join(dir, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [contrib('prometheus/vipd.rules.yml')],
        scrape_configs: [
          { job_name: 'vipd', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
        ],
      }),
    )
    const prometheus = start(at)
    try {
      const query = async (expr: string): Promise<number> => {
        const answer = await ask(at, `/api/v1/query?query=${encodeURIComponent(expr)}`)
        const read = JSON.parse(answer.body) as {
          status: string
          data: { result: readonly unknown[] }
        }
        assert.equal(read.status, 'success', `${expr}: ${answer.body}`)
        return read.data.result.length
      }
      await until('the third scrape', 60_000, async () => {
        const scraped = await query('sum_over_time(up{job="vipd"}[1m]) >= 3 and up == 1').catch(
          () => 0,
        )
        return scraped > 0
      })
      await until('a scrape without an error', 60_000, async () =>
        /"lastError":""/.test((await ask(at, '/api/v1/targets')).body),
      )
      const { from, to, cause } = kind
      const what = { from, to, cause, instance: web.name, at: new Date().toISOString(), why: 'x' }
      daemon.service.take({ kind: 'transition', what, number: 42 })
      await until('the exemplar of a transition', 60_000, async () => {
        const asked = `query=vipd_instance_transitions_total&start=${Date.now() / 1_000 - 600}&end=${Date.now() / 1_000 + 60}`
        return (await ask(at, `/api/v1/query_exemplars?${asked}`)).body.includes(
          '"transition":"42"',
        )
      })
      for (const expr of [...exporters, ...ours()])
        if (quiet.test(expr)) await query(expr)
        // A scrape that a busy machine was late with leaves a hole of a second.
        else await until(`an answer: ${expr}`, 60_000, async () => (await query(expr)) > 0)
      const alerts = await ask(at, '/api/v1/rules')
      assert.doesNotMatch(alerts.body, /"health":"err"/)
    } finally {
      const ended = once(prometheus, 'exit')
      if (prometheus.kill('SIGKILL')) await ended
    }
  })
})

function start(port: number): ChildProcess {
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      '--enable-feature=exemplar-storage',
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  child.on('error', (error) => {
    throw error
  })
  return child
}
