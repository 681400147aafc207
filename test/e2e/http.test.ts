/** The HTTP surface of a real daemon: switched on and off by a reload, told of transitions, obeyed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import type { InstancePast } from '../../src/report/past.ts'
import { statusSchema } from '../../src/report/schema.ts'
import type { Status, Transition } from '../../src/report/status.ts'
import { ask, listen, nextEvent } from '../unit/surfaces/http-client.ts'
import { faultsIn } from '../unit/surfaces/schema-check.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000

test('status, events, readiness and orders of a daemon; a reload ends them', async () => {
  await inLab('http', async (lab) => {
    const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
    const token = 'a-token-to-act-with'
    host.write('/run/lab/token', token)
    await host.run('chmod', ['600', '/run/lab/token'])
    const keeps = 'vipd_history /run/lab/history'
    const check =
      'vrrp_script hourly {\n  script "/usr/bin/test -e /run/lab/flag"\n  interval 3600\n  weight 5\n}\n'
    const more = 'track_script {\n    hourly\n  }'
    const text = (defs: string) =>
      conf({ priority: 100, before: `global_defs {\n  ${defs}\n}\n${check}`, more })
    const vipd = startVipd(
      host,
      text(`vipd_http unix:/run/lab/http.sock action_token /run/lab/token\n  ${keeps}`),
    )
    await vipd.child.line(/HTTP: served at unix:/, soonMs)
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    const socket = `/proc/${host.pid}/root/run/lab/http.sock`

    const asked = await ask(socket, '/api/v1/status')
    assert.deepEqual(faultsIn(JSON.parse(asked.body), statusSchema, statusSchema), [])
    const [instance] = (JSON.parse(asked.body) as Status).instances
    assert.deepEqual([asked.status, instance?.name, instance?.state], [200, 'VI_1', 'MASTER'])
    assert.equal((await ask(socket, '/readyz?state=master')).status, 200)
    const numbersOf = (body: string) =>
      (JSON.parse(body) as InstancePast[]).flatMap(({ history }) => history.map((it) => it.number))
    const past = await until('both transitions on the disk', soonMs, async () => {
      const { body, headers } = await ask(socket, '/api/v1/history?limit=2')
      const numbers = numbersOf(body)
      return numbers.every((it) => it !== undefined) && { numbers, headers }
    })
    assert.deepEqual([past.numbers, past.headers['vipd-history']], [[1, 2], 'kept'])

    const order = async (verb: string, body: object) =>
      await ask(socket, `/api/v1/${verb}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
    await vipd.child.line(/VRRP_Script\(hourly\) failed/, soonMs)
    host.write('/run/lab/flag', '')
    assert.equal((await order('check', { name: 'hourly' })).status, 200)
    await vipd.child.line(/VRRP_Script\(hourly\) succeeded/, soonMs)
    assert.equal((await order('check', { name: 'none' })).status, 409)
    assert.equal((await order('failover', { name: 'none' })).status, 409)

    const stream = await listen(socket, '/api/v1/events')
    await nextEvent(stream, 'status')
    await host.run('ip', ['link', 'set', 'eth0', 'down'])
    const told = (await nextEvent(stream, 'transition')).data as Transition
    assert.deepEqual([told.instance, told.to, told.cause], ['VI_1', 'FAULT', 'faults'])
    assert.equal((await ask(socket, '/readyz?state=master')).status, 503)
    await host.run('ip', ['link', 'set', 'eth0', 'up'])

    const ended = new Promise<void>((resolve) => stream.once('close', resolve))
    stream.on('error', () => undefined)
    vipd.configure(text(`router_id one\n  ${keeps}`))
    assert.equal((await order('reload', {})).status, 200)
    await ended
    await assert.rejects(ask(socket, '/healthz'), /ENOENT|ECONNREFUSED|ECONNRESET/)

    // What the daemon before has kept is told by the next one.
    await vipd.stop()
    const next = startVipd(host, text(`vipd_http unix:/run/lab/http.sock\n  ${keeps}`))
    await next.child.line(/HTTP: served at unix:/, soonMs)
    const all = numbersOf((await ask(socket, '/api/v1/history?instance=VI_1')).body)
    assert.ok(all.includes(1) && all.length > 2, JSON.stringify(all))
  })
})
