/** What the HTTP surface tells of: events, metrics, history; and readers that are slow. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { jsonLines } from '../../../src/report/kept.ts'
import type { InstancePast } from '../../../src/report/past.ts'
import { statusSchema } from '../../../src/report/schema.ts'
import type { Outcome } from '../../../src/surfaces/http/messages.ts'
import { aStatus } from '../cli/a-status.ts'
import { ask, listen, nextEvent } from './http-client.ts'
import { serving } from './http-daemon.ts'
import { dir, listener } from './http-service-facts.ts'
import { faultsIn } from './schema-check.ts'

const pastSchema = { $ref: '#/$defs/past' }

test('events: the status, then transitions at once, then the status again', async () => {
  const path = join(dir, 'events.sock')
  await serving([listener(path)], async (daemon) => {
    const stream = await listen(path, '/api/v1/events')
    assert.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8')
    const first = await nextEvent(stream, 'status')
    assert.deepEqual(first.data, JSON.parse(JSON.stringify(aStatus)))
    const what = {
      ...{ instance: 'VI_web', at: '2026-03-01T00:00:00Z', from: 'MASTER', to: 'FAULT' },
      ...({ why: 'link eth0 down', cause: 'faults' } as const),
    }
    daemon.service.take({ kind: 'transition', what, number: 12 })
    assert.deepEqual((await nextEvent(stream, 'transition')).data, what)
    daemon.status = { ...aStatus, host: 'another' }
    // Without being asked for; one that was on its way may come before it.
    const host = async () => ((await nextEvent(stream, 'status')).data as { host: string }).host
    while ((await host()) !== 'another');
    daemon.silent = true
    await nextEvent(stream, 'silence')
    stream.destroy()
  })
})

test('metrics as OpenMetrics for who accepts it, with the number of the last transition of a kind', async () => {
  const path = join(dir, 'openmetrics.sock')
  await serving([listener(path)], async (daemon) => {
    const metrics = async (accept: string) => {
      const { body, headers } = await ask(path, '/metrics', { headers: { Accept: accept } })
      return { body, type: String(headers['content-type']) }
    }
    const asked = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'
    const before = await metrics(asked)
    assert.match(before.type, /^application\/openmetrics-text; version=1\.0\.0/)
    assert.match(before.body, /\n# EOF\n$/)
    assert.match(before.body, /\n# TYPE vipd_instance_transitions counter\n/)
    assert.doesNotMatch(before.body, /transition="/)
    const [web] = aStatus.instances
    const [kind] = web?.transitionCounts ?? []
    assert.ok(web && kind)
    const { from, to, cause } = kind
    const what = {
      ...{ from, to, cause },
      instance: web.name,
      at: '2026-03-01T00:00:00Z',
      why: 'x',
    }
    daemon.service.take({ kind: 'transition', what, number: 12 })
    const line = `vipd_instance_transitions_total{iname="${web.name}",from="${from}",to="${to}",cause="${cause}"} ${kind.count}`
    const after = (await metrics(asked)).body.split('\n')
    assert.ok(after.includes(`${line} # {transition="12"} 1 1772323200.000`), after.join('\n'))
    for (const accept of ['*/*', 'text/plain', 'application/openmetrics-text;q=0, */*']) {
      const { body, type } = await metrics(accept)
      assert.match(type, /^text\/plain; version=0\.0\.4/)
      assert.ok(body.split('\n').includes(line))
      assert.doesNotMatch(body, /# EOF/)
    }
  })
})

test('what was seen lately is asked for once for all who name the same, within a bound', async () => {
  const path = join(dir, 'recent.sock')
  await serving([listener(path)], async (daemon) => {
    const recent = (query: string) => ask(path, `/api/v1/recent?${query}`)
    const all = await Promise.all([1, 2, 3].map(() => recent('instance=VI_web&check=a&check=b')))
    for (const { status, body } of all) {
      assert.equal(status, 200)
      assert.deepEqual(JSON.parse(body), { schema: 1, instances: [], checks: [] })
    }
    assert.deepEqual(daemon.asked, [{ instances: ['VI_web'], checks: ['a', 'b'] }])
    const many = await recent('instance=x&'.repeat(33))
    assert.deepEqual([many.status, daemon.asked.length], [400, 1])
  })
})

test('the history has what is kept and what is in the memory, each once, and says when it is less', async () => {
  const path = join(dir, 'history.sock')
  const at = (minute: number) => `2026-11-28T03:0${minute}:00.000Z`
  const move = (minute: number, instance: string) => ({
    ...{ instance, at: at(minute), from: 'BACKUP', to: 'MASTER', why: 'because' },
    ...({ cause: 'timeout' } as const),
  })
  const lines = [
    { number: 7, ...move(1, 'gone') },
    { number: 8, ...move(2, 'VI_web') },
  ]
  const claim = (minute: number, instance: string, count: number) => ({
    ...{ instance, at: at(minute), firstAt: at(minute), lastAt: at(minute + 3), count },
    ...{ address: '10.0.0.9', interface: 'eth0', mac: '02:00:00:00:00:99' },
    ...({ how: 'used', sameMac: false, announced: 1, takeOver: null } as const),
  })
  const page = (next: number | null): Outcome => ({
    ok: true,
    result: {
      ...{ directory: '/kept', next, lines: jsonLines(lines) },
      claims: jsonLines([claim(1, 'gone', 3), claim(1, 'VI_web', 1)]),
    },
  })
  const [web, ...others] = aStatus.instances
  assert.ok(web)
  const history = [1, 2, 3].map((minute) => {
    const { instance: _own, ...entry } = move(minute, 'VI_web')
    return entry
  })
  const live = [claim(1, 'VI_web', 7), claim(5, 'VI_web', 2)].map(
    ({ instance: _own, ...entry }) => entry,
  )
  await serving([listener(path)], async (daemon) => {
    daemon.status = {
      ...aStatus,
      instances: [
        { ...web, name: 'VI_web', history, claims: { ...web.claims, history: live } },
        ...others.map((it) => ({ ...it, history: [] })),
      ],
    }
    type Past = Pick<InstancePast, 'name' | 'state' | 'history' | 'claims'>
    const counts = ({ all }: { readonly all: readonly Past[] }) =>
      all.flatMap(({ name, claims }) => claims.map(({ count }) => `${name} ${count}`))
    const past = async (query: string) => {
      const { body, headers } = await ask(path, `/api/v1/history${query}`)
      const all = JSON.parse(body) as Past[]
      assert.deepEqual(
        all.flatMap((it) => faultsIn(it, pastSchema, statusSchema)),
        [],
      )
      const told = all.map(({ name, history: own }) => [name, own.map((it) => it.number ?? it.at)])
      return { told: told.filter(([, own]) => own?.length !== 0), all, headers }
    }
    daemon.kept = page(null)
    const whole = await past('')
    assert.deepEqual(whole.told, [
      ['VI_web', [at(1), 8, at(3)]],
      ['gone', [7]],
    ])
    assert.equal(whole.all.at(-1)?.state, 'MASTER', 'of an instance that there was')
    // What is in both is told as the memory has it.
    assert.deepEqual(counts(whole), ['VI_web 7', 'VI_web 2', 'gone 3'])
    assert.deepEqual([whole.headers['vipd-history'], whole.headers['link']], ['kept', undefined])
    daemon.kept = page(7)
    const cut = await past('?limit=3&since=1d')
    assert.equal(cut.headers['link'], '</api/v1/history?limit=3&since=1d&before=7>; rel="next"')
    assert.deepEqual(cut.told, [
      ['VI_web', [8, at(3)]],
      ['gone', [7]],
    ])
    assert.deepEqual(counts(cut), ['VI_web 7', 'VI_web 2', 'gone 3'])
    const older = await past('?before=9')
    assert.deepEqual(counts(older), ['VI_web 7', 'gone 3'], 'what is new is on the first page')
    assert.deepEqual(older.told, [
      ['VI_web', [8]],
      ['gone', [7]],
    ])
    const { before, limit, name, sinceMs, untilMs } = daemon.queries.at(-1) ?? {}
    assert.deepEqual([before, limit, name, sinceMs], [9, 1_000, null, 0])
    assert.ok((untilMs ?? 0) > Date.now())
    assert.equal((await ask(path, '/api/v1/history?instance=gone')).status, 200)
    daemon.kept = { ok: false, why: 'the disk – does not answer' }
    const less = await past('?instance=VI_web&until=2026-11-28T03:02')
    assert.deepEqual(less.told, [['VI_web', [at(1), at(2)]]])
    assert.deepEqual(counts(less), ['VI_web 7'])
    assert.equal(less.headers['vipd-history'], 'memory; the disk ? does not answer')
    assert.equal((await ask(path, '/api/v1/history?instance=none')).status, 404)
    for (const wrong of ['limit=0', 'limit=1001', 'before=x', 'since=yesterday', 'until='])
      assert.equal((await ask(path, `/api/v1/history?${wrong}`)).status, 400, wrong)
  })
})

test('a reader that does not read is dropped, and costs one status', async () => {
  const path = join(dir, 'stalled.sock')
  await serving([listener(path)], async (daemon) => {
    const stream = await listen(path, '/api/v1/events')
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    stream.pause()
    const what = { instance: 'VI_web', at: '', from: 'MASTER', to: 'FAULT' } as const
    const why = 'x'.repeat(64 * 1024)
    for (let i = 0; i < 40; i += 1)
      daemon.service.take({
        kind: 'transition',
        number: null,
        what: { ...what, why, cause: 'faults' },
      })
    stream.on('error', () => undefined)
    stream.resume()
    await closed
  })
})

/** More than a kernel takes of a socket that is not read, and than may wait behind a status. */
const longStatus = {
  ...aStatus,
  warnings: Array.from({ length: 4_000 }, (_, i) => `${i} ${'x'.repeat(500)}`),
}

test('a long status is made as seldom as it is sent, and beats in between say that the daemon lives', async () => {
  const path = join(dir, 'long.sock')
  await serving([listener(path)], async (daemon) => {
    daemon.status = longStatus
    const stream = await listen(path, '/api/v1/events')
    await nextEvent(stream, 'status')
    const wants = daemon.wants
    for (let i = 0; i < 3; i += 1) await nextEvent(stream, 'beat')
    assert.ok(daemon.wants - wants <= 1, `${daemon.wants - wants} statuses were made for nothing`)
    stream.destroy()
  })
})

test('a reader keeps a long status that is on its way to it, whatever comes behind it', async () => {
  const path = join(dir, 'slow.sock')
  await serving([listener(path)], async (daemon) => {
    daemon.status = longStatus
    const stream = await listen(path, '/api/v1/events')
    stream.pause()
    const what = { instance: 'VI_web', at: '', from: 'MASTER', to: 'FAULT', why: 'x' } as const
    daemon.service.take({ kind: 'transition', number: null, what: { ...what, cause: 'faults' } })
    daemon.ping()
    const first = await nextEvent(stream, 'status')
    assert.equal((first.data as { warnings: string[] }).warnings.length, 4_000)
    assert.deepEqual((await nextEvent(stream, 'transition')).data, { ...what, cause: 'faults' })
    await nextEvent(stream, 'beat')
    stream.destroy()
  })
})
