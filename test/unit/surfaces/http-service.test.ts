/** The HTTP service on real sockets, with a daemon that the test plays. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { HttpListener } from '../../../src/config/http.ts'
import { statusSchema } from '../../../src/report/schema.ts'
import type { Outcome } from '../../../src/surfaces/http/messages.ts'
import { aStatus } from '../cli/a-status.ts'
import { ask, listen, nextEvent } from './http-client.ts'
import { serving } from './http-daemon.ts'
import { faultsIn } from './schema-check.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-http-'))
after(() => rmSync(dir, { recursive: true }))

const readToken = 'read-token-read-token'
const actToken = 'act-token-act-token-1'
const file = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(join(dir, name), text, { mode })
  return join(dir, name)
}
const tokenFiles = () => ({
  readToken: file('read', `${readToken}\n`),
  actionToken: file('act', actToken),
})

const listener = (path: string, more: Partial<HttpListener> = {}): HttpListener => ({
  address: { kind: 'unix', path, mode: 0o600, gid: null },
  readToken: null,
  actionToken: null,
  tls: null,
  names: [],
  ...more,
})

const pastSchema = { $ref: '#/$defs/past' }
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const asJson = { 'Content-Type': 'application/json' }

test('the status is that of the daemon, asked for once for all who ask within a second', async () => {
  const path = join(dir, 'status.sock')
  await serving([listener(path)], async (daemon) => {
    const all = await Promise.all([1, 2, 3].map(() => ask(path, '/api/v1/status')))
    for (const { status, body } of all) {
      assert.equal(status, 200)
      assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(aStatus)))
    }
    const wants = daemon.wants
    assert.ok(wants >= 1 && wants <= 3, `${wants}`)
    await ask(path, '/api/v1/history')
    assert.equal(daemon.wants, wants, 'a fresh one is there')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })
  assert.ok(!readdirSync(dir).some((name) => name.startsWith('status.sock')), 'nothing stays')
})

test('readyz says 200 or 503 and why; an unknown name or state is neither', async () => {
  const path = join(dir, 'ready.sock')
  await serving([listener(path)], async (daemon) => {
    const ready = async (query: string) => {
      const { status, body } = await ask(path, `/readyz${query}`)
      return [status, body] as const
    }
    const [web] = aStatus.instances
    assert.ok(web)
    assert.equal(web.state, 'MASTER')
    assert.deepEqual(await ready(`?state=master&instance=${web.name}`), [200, 'ok\n'])
    const [status, why] = await ready(`?state=backup&instance=${web.name}`)
    assert.equal(status, 503)
    assert.match(why, new RegExp(`^${web.name} is MASTER: `))
    assert.equal((await ready('?instance=none'))[0], 404)
    assert.equal((await ready('?state=good'))[0], 400)
    const what = { instance: web.name, at: '2026-03-01T00:00:00Z', from: 'MASTER' } as const
    daemon.service.take({
      kind: 'transition',
      number: null,
      what: { ...what, to: 'BACKUP', why: 'overruled', cause: 'higher-priority' },
    })
    assert.equal((await ready(`?state=backup&instance=${web.name}`))[0], 200, 'at once')
  })
})

test('a daemon that does not answer is not well', async () => {
  const path = join(dir, 'silent.sock')
  await serving([listener(path)], async (daemon) => {
    daemon.silent = true
    const { status, body } = await ask(path, '/healthz')
    assert.equal(status, 503)
    assert.match(body, /"code":"silent"/)
  })
})

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

test('a token to read and a token to act, each for its own; a session in their place', async () => {
  const path = join(dir, 'tokens.sock')
  await serving([listener(path, tokenFiles())], async (daemon) => {
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await ask(path, '/api/v1/status', { headers })).status
    assert.equal(await status({}), 401)
    assert.equal(await status(bearer('x'.repeat(20))), 401)
    assert.equal(await status(bearer(readToken)), 200)
    assert.equal((await ask(path, '/healthz')).status, 200, 'health needs none')
    const drain = async (headers: Readonly<Record<string, string>>, body = '') =>
      await ask(path, '/api/v1/drain', { method: 'POST', headers: { ...asJson, ...headers }, body })
    assert.equal((await drain(bearer(readToken))).status, 403)
    assert.equal((await drain({})).status, 401)
    const done = await drain(bearer(actToken), '{"force": true}')
    assert.deepEqual([done.status, done.body], [200, '{"result":"done"}\n'])
    const opened = await ask(path, '/api/v1/session', {
      method: 'POST',
      headers: asJson,
      body: JSON.stringify({ token: actToken }),
    })
    const cookie = String(opened.headers['set-cookie']?.[0])
    assert.match(cookie, /; HttpOnly; SameSite=Strict; Path=\/$/)
    const browser = { Cookie: cookie.split(';')[0] ?? '' }
    assert.equal((await drain(browser)).status, 200)
    assert.equal((await drain({ ...browser, Origin: 'http://evil.example' })).status, 403)
    assert.equal((await drain({ ...browser, 'Content-Type': 'text/plain' })).status, 415)
    assert.equal(daemon.orders.length, 2)
    assert.deepEqual(daemon.orders[0], {
      ...{ verb: 'drain', name: null, force: true },
      by: `unix:${path}`,
    })
    daemon.outcome = { ok: false, why: 'the daemon is stopping' }
    const refused = await drain(bearer(actToken))
    assert.equal(refused.status, 409)
    assert.match(refused.body, /the daemon is stopping/)
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
  const page = (next: number | null): Outcome => ({
    ok: true,
    result: {
      ...{ directory: '/kept', next },
      lines: Buffer.from(lines.map((it) => `${JSON.stringify(it)}\n`).join('')),
    },
  })
  const [web, ...others] = aStatus.instances
  assert.ok(web)
  const history = [1, 2, 3].map((minute) => {
    const { instance: _own, ...entry } = move(minute, 'VI_web')
    return entry
  })
  await serving([listener(path)], async (daemon) => {
    daemon.status = {
      ...aStatus,
      instances: [
        { ...web, name: 'VI_web', history },
        ...others.map((it) => ({ ...it, history: [] })),
      ],
    }
    type Past = { name: string; state: string | null; history: { at: string; number?: number }[] }
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
    assert.deepEqual([whole.headers['vipd-history'], whole.headers['link']], ['kept', undefined])
    daemon.kept = page(7)
    const cut = await past('?limit=3&since=1d')
    assert.equal(cut.headers['link'], '</api/v1/history?limit=3&since=1d&before=7>; rel="next"')
    assert.deepEqual(cut.told, [
      ['VI_web', [8, at(3)]],
      ['gone', [7]],
    ])
    const older = await past('?before=9')
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
    assert.equal(less.headers['vipd-history'], 'memory; the disk ? does not answer')
    assert.equal((await ask(path, '/api/v1/history?instance=none')).status, 404)
    for (const wrong of ['limit=0', 'limit=1001', 'before=x', 'since=yesterday', 'until='])
      assert.equal((await ask(path, `/api/v1/history?${wrong}`)).status, 400, wrong)
  })
})

test('a page learns what it may do before it shows a button', async () => {
  const path = join(dir, 'right.sock')
  await serving([listener(path, tokenFiles())], async () => {
    const right = async (headers: Readonly<Record<string, string>>) => {
      const { body } = await ask(path, '/api/v1/session', { headers })
      const told = JSON.parse(body) as { right: string; actions: boolean }
      return [told.right, told.actions]
    }
    assert.deepEqual(await right({}), ['none', true])
    assert.deepEqual(await right(bearer(readToken)), ['read', true])
    assert.deepEqual(await right(bearer(actToken)), ['act', true])
  })
  const open = join(dir, 'right-open.sock')
  await serving([listener(open)], async () => {
    const { body } = await ask(open, '/api/v1/session')
    assert.match(body, /"right":"read","actions":false/)
  })
})

test('without a token to act nothing can be ordered by any client', async () => {
  const path = join(dir, 'read-only.sock')
  await serving([listener(path)], async (daemon) => {
    const { status, body } = await ask(path, '/api/v1/drain', { method: 'POST', headers: asJson })
    assert.equal(status, 403)
    assert.match(body, /no-actions/)
    assert.equal(daemon.orders.length, 0)
  })
})

test('what is wrong is refused with a code: host, path, method, target, body', async () => {
  const path = join(dir, 'wrong.sock')
  await serving([listener(path, tokenFiles())], async () => {
    const code = async (at: string, question: Parameters<typeof ask>[2] = {}) => {
      const { status, body } = await ask(path, at, question)
      return [status, (JSON.parse(body) as { error: { code: string } }).error.code]
    }
    const act = { method: 'POST', headers: { ...asJson, ...bearer(actToken) } }
    assert.deepEqual(await code('/healthz', { headers: { Host: 'evil.example' } }), [
      403,
      'foreign',
    ])
    assert.deepEqual(await code('/none'), [404, 'not-found'])
    assert.deepEqual(await code('/__proto__'), [404, 'not-found'])
    assert.deepEqual(await code('/healthz', { method: 'POST' }), [405, 'bad-method'])
    assert.deepEqual(await code('http://evil.example/'), [400, 'bad-target'])
    assert.deepEqual(await code('/api/v1/drain', { ...act, body: '[]' }), [400, 'bad-body'])
    assert.deepEqual(await code('/api/v1/drain', { ...act, body: '{' }), [400, 'bad-body'])
    assert.deepEqual(await code('/api/v1/failover', act), [400, 'bad-body'])
    const long = JSON.stringify({ name: 'x'.repeat(5_000) })
    assert.deepEqual(await code('/api/v1/drain', { ...act, body: long }), [413, 'too-large'])
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

test('a reader to whom a long status is on its way keeps it, whatever comes behind it', async () => {
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

test('an address that is taken, or whose files are wrong, is named, and tried again', async () => {
  const path = join(dir, 'later.sock')
  const other = createServer().listen(join(dir, 'taken.sock'))
  const open = file('open', actToken, 0o644)
  const plain = file('plain', '')
  const wanted = [
    listener(join(dir, 'taken.sock')),
    listener(plain),
    listener(path, { readToken: open }),
    listener(join(dir, 'short.sock'), { readToken: file('short', 'x') }),
    listener(join(dir, 'none.sock'), { readToken: join(dir, 'not-there') }),
  ]
  await serving(wanted, async (daemon) => {
    const [taken, noSocket, readable, short, none] = daemon.unserved
    assert.match(taken ?? '', /taken\.sock: another program is served at/)
    assert.match(noSocket ?? '', /plain is there and is no socket/)
    assert.match(readable ?? '', /can be read or written by every user: chmod 640/)
    assert.match(short ?? '', /holds no token/)
    assert.match(none ?? '', /ENOENT/)
    execFileSync('chmod', ['640', open])
    daemon.service.take({ kind: 'listen', config: { listeners: wanted, peers: [] } })
    await daemon.settled()
    assert.equal(daemon.unserved.length, 4)
    assert.equal((await ask(path, '/api/v1/status', { headers: bearer(actToken) })).status, 200)
  })
  other.close()
})

test('another token in the file counts, and ends the sessions of the old one', async () => {
  const path = join(dir, 'rotate.sock')
  const token = file('rotate', readToken)
  const one = [listener(path, { readToken: token })]
  await serving(one, async (daemon) => {
    const status = async (given: string) =>
      (await ask(path, '/api/v1/status', { headers: bearer(given) })).status
    assert.equal(await status(readToken), 200)
    writeFileSync(token, 'another-token-another')
    daemon.service.take({ kind: 'listen', config: { listeners: one, peers: [] } })
    await daemon.settled()
    assert.deepEqual([await status(readToken), await status('another-token-another')], [401, 200])
    writeFileSync(token, 'x')
    daemon.service.take({ kind: 'listen', config: { listeners: one, peers: [] } })
    await daemon.settled()
    assert.equal(await status('another-token-another'), 200, 'what was read before stays in use')
    assert.match(daemon.said.at(-1) ?? '', /holds no token.*what was read before stays in use/)
  })
})

test('TLS: the certificate is renewed while it is served; a key that others can read is refused', async () => {
  const make = (name: string) => {
    const [key, cert] = [join(dir, 'tls.key'), join(dir, 'tls.crt')]
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes']
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    return { cert, key, clientCa: null }
  }
  const path = join(dir, 'tls.sock')
  const one = [listener(path, { tls: make('one.example') })]
  const nameOf = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ path, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.once('error', reject)
    })
  await serving(one, async (daemon) => {
    assert.equal(await nameOf(), 'one.example')
    make('two.example')
    daemon.service.take({ kind: 'listen', config: { listeners: one, peers: [] } })
    await daemon.settled()
    assert.equal(await nameOf(), 'two.example')
    execFileSync('chmod', ['644', join(dir, 'tls.key')])
    daemon.service.take({ kind: 'listen', config: { listeners: one, peers: [] } })
    await daemon.settled()
    assert.match(daemon.said.at(-1) ?? '', /tls\.key can be read or written by every user/)
    assert.equal(await nameOf(), 'two.example')
  })
})
