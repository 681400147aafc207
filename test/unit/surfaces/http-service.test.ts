/** The HTTP service on real sockets, with a daemon that the test plays. */
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { aStatus } from '../cli/a-status.ts'
import { ask } from './http-client.ts'
import { serving } from './http-daemon.ts'
import { actToken, bearer, dir, file, listener, readToken } from './http-service-facts.ts'

const tokenFiles = () => ({
  readToken: file('read', `${readToken}\n`),
  actionToken: file('act', actToken),
})

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
