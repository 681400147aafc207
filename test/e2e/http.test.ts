/** The HTTP surface of a real daemon: switched on and off by a reload, told of transitions, obeyed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
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
    const check =
      'vrrp_script hourly {\n  script "/usr/bin/test -e /run/lab/flag"\n  interval 3600\n  weight 5\n}\n'
    const more = 'track_script {\n    hourly\n  }'
    const text = (defs: string) =>
      conf({ priority: 100, before: `global_defs {\n  ${defs}\n}\n${check}`, more })
    const vipd = startVipd(
      host,
      text('vipd_http unix:/run/lab/http.sock action_token /run/lab/token'),
    )
    await vipd.child.line(/HTTP: served at unix:/, soonMs)
    await vipd.reaches('VI_1', 'MASTER', soonMs)
    const socket = `/proc/${host.pid}/root/run/lab/http.sock`

    const asked = await ask(socket, '/api/v1/status')
    assert.deepEqual(faultsIn(JSON.parse(asked.body), statusSchema, statusSchema), [])
    const [instance] = (JSON.parse(asked.body) as Status).instances
    assert.deepEqual([asked.status, instance?.name, instance?.state], [200, 'VI_1', 'MASTER'])
    assert.equal((await ask(socket, '/readyz?state=master')).status, 200)

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
    vipd.configure(text('router_id one'))
    assert.equal((await order('reload', {})).status, 200)
    await ended
    await assert.rejects(ask(socket, '/healthz'), /ENOENT|ECONNREFUSED|ECONNRESET/)
  })
})
