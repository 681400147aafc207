/** The pair in words, and the questions to a peer, with peers that the test plays. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  differences,
  leadFindings,
  type Pair,
  type Summary,
  type SummaryInstance,
  summaryOf,
} from '../../../src/report/pair.ts'
import { summaryFrom } from '../../../src/surfaces/http/peer-answer.ts'
import { aStatus } from '../cli/a-status.ts'
import { ask, listen, nextEvent } from './http-client.ts'
import { serving } from './http-daemon.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-pair-'))
after(() => rmSync(dir, { recursive: true }))

const here = summaryOf(aStatus)
const [web] = here.instances as [SummaryInstance]
const one: Summary = { ...here, instances: [web] }
const two = (more: Partial<SummaryInstance> = {}): Summary => ({
  ...one,
  host: 'lb2',
  pid: 77,
  instances: [{ ...web, basePriority: 100, state: 'BACKUP', master: '10.0.0.1', ...more }],
})
const found = (a: Summary, b: Summary) =>
  differences(a, b).map(({ code, text }) => `${code}: ${text}`)

test('a pair that fits is not mentioned', () => {
  assert.deepEqual(found(one, two()), [])
  assert.deepEqual(leadFindings(one, [two()], true), [])
})

const differing: readonly [more: Partial<SummaryInstance>, says: RegExp][] = [
  [{ vrid: 52 }, /^different-vrid: VI_web: VRID 51 on lb1, 52 on lb2/],
  [{ version: 2 }, /^different-protocol: VI_web: VRRP version 3 on lb1, 2 on lb2/],
  [{ advertIntervalMs: 1_000 }, /^different-interval: .*100 ms on lb1, 1000 ms on lb2/],
  [{ downTimerAdverts: 5 }, /^different-down-timer: .*3 on lb1, 5 on lb2: who leads/],
  [{ downTimerAdverts: 5, leaseMs: 500 }, /^different-down-timer: .*both answer meanwhile/],
  [{ authentication: 'enforce' }, /^different-authentication: .*none on lb1, enforce on lb2/],
  [{ basePriority: 150 }, /^equal-priorities: VI_web: priority 150 on both hosts/],
  [{ addresses: ['10.0.0.100/24'] }, /^different-addresses: VI_web: 10\.0\.0\.101\/24 only on lb1/],
]
for (const [more, says] of differing)
  test(`said in words: ${says.source}`, () => {
    const [only, ...others] = found(one, two(more))
    assert.match(only ?? '', says)
    assert.deepEqual(others, [])
  })

test('an instance that only one host has, another version of vipd, and itself named as its peer', () => {
  assert.match(
    found(one, { ...two(), instances: [] }).join(),
    /instance-missing: VI_web .* lb1 and not on lb2/,
  )
  assert.match(
    found({ ...one, instances: [] }, two()).join(),
    /instance-missing: VI_web .* lb2 and not on lb1/,
  )
  assert.match(
    found(one, { ...two(), version: '0.2.0' }).join(),
    /different-versions: lb1 runs vipd 0\.1\.0, lb2 runs 0\.2\.0/,
  )
  assert.match(found(one, one).join(), /^peer-is-self/)
  assert.deepEqual(found(one, two({ name: 'VI_other' })), [], 'the VRID tells who belongs together')
})

test('two masters and no master are facts once they have lasted; an election is neither', () => {
  const codes = (a: Summary, b: Summary, all = true) =>
    leadFindings(a, [b], all).map(({ code, text }) => `${code}: ${text}`)
  const lead = two({ state: 'MASTER', master: '10.0.0.2', sinceMs: 3_000 })
  assert.match(
    codes(one, lead).join(),
    /^two-masters: VI_web has two masters: lb1 and lb2 both hold 10\.0\.0\.100\/24/,
  )
  assert.deepEqual(codes(one, two({ state: 'MASTER', sinceMs: 2_000 })), [], 'they may yield yet')
  const none = (sinceMs: number): Summary => ({
    ...one,
    instances: [{ ...web, state: 'FAULT', master: null, why: 'eth0 down', sinceMs }],
  })
  const idle = two({ master: null, why: 'started' })
  assert.match(
    codes(none(5_000), idle).join(),
    /^no-master: VI_web has no master: lb1 is FAULT \(eth0 down\), lb2 is BACKUP/,
  )
  assert.deepEqual(codes(none(2_600), idle), [], 'an election may be on')
  assert.deepEqual(codes(none(5_000), idle, false), [], 'a peer that is silent may lead')
  assert.deepEqual(codes(none(5_000), two({ master: '10.0.0.9' })), [], 'a third router leads')
})

test('what a peer says is untrusted: shapes, bounds, control characters', () => {
  const text = JSON.stringify(one)
  assert.deepEqual(summaryFrom(text), one)
  const wrong = (change: object) => () => summaryFrom(JSON.stringify({ ...one, ...change }))
  assert.throws(() => summaryFrom('<html>'), /not JSON/)
  assert.throws(() => summaryFrom('[]'), /valid/)
  assert.throws(wrong({ schema: 2 }), /another version/)
  assert.throws(wrong({ instances: 'many' }), /valid instances/)
  assert.throws(wrong({ instances: [{ ...web, state: '<b>' }] }), /valid state/)
  assert.throws(wrong({ instances: [{ ...web, vrid: 256 }] }), /valid vrid/)
  assert.throws(wrong({ instances: [{ ...web, downTimerAdverts: 101 }] }), /downTimerAdverts/)
  const { downTimerAdverts: _, leaseMs: __, ...before } = web
  const old = summaryFrom(JSON.stringify({ ...one, instances: [before] }))
  assert.deepEqual(old.instances, [before], 'a release that says neither')
  const leased = { ...one, instances: [{ ...web, leaseMs: 300 }] }
  assert.deepEqual(summaryFrom(JSON.stringify(leased)), leased)
  assert.throws(wrong({ instances: [{ ...web, advertIntervalMs: 1e300 }] }), /advertIntervalMs/)
  const nasty = summaryFrom(JSON.stringify({ ...one, host: `a\n\u202e${'x'.repeat(1_000)}` }))
  assert.match(nasty.host, /^a\ufffd\ufffdx{253}$/)
})

const answering = (take: RequestListener): Promise<{ server: Server; url: string }> =>
  new Promise((resolve, reject) => {
    const server = createServer(take)
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const at = server.address()
      resolve({ server, url: `http://127.0.0.1:${typeof at === 'object' ? at?.port : 0}` })
    })
  })

const listener = (path: string) => ({
  address: { kind: 'unix', path, mode: 0o600, gid: null } as const,
  ...{ readToken: null, actionToken: null, tls: null, names: [] },
})

/** What this host says of the pair with a peer that answers so. */
async function pairWith(take: RequestListener): Promise<Pair> {
  const { server, url } = await answering(take)
  const token = join(dir, 'token')
  writeFileSync(token, 'the-token-of-the-peer', { mode: 0o600 })
  const path = join(dir, 'pair.sock')
  let pair: Pair | null = null
  await serving([listener(path)], async () => {
    pair = JSON.parse((await ask(path, '/api/v1/pair')).body) as Pair
  }, [{ url, token, ca: null }])
  server.closeAllConnections()
  server.close()
  assert.ok(pair !== null)
  return pair
}

test('a peer is asked with its token, and told apart from this host', async () => {
  let asked = ''
  const { peers, findings } = await pairWith((request, response) => {
    asked = `${request.url} ${request.headers.authorization}`
    response.end(JSON.stringify({ ...here, host: 'lb2', pid: 77 }))
  })
  assert.equal(asked, '/api/v1/summary Bearer the-token-of-the-peer')
  assert.deepEqual([peers[0]?.summary?.host, peers[0]?.why], ['lb2', null])
  assert.deepEqual(
    peers[0]?.counterparts.map(({ there }) => there),
    here.instances.map(({ name }) => name),
  )
  assert.ok(findings.some(({ code }) => code === 'two-masters'))
})

const silent: readonly [what: string, take: RequestListener, says: RegExp][] = [
  ['a refusal', (_, response) => response.writeHead(401).end(), /status 401.*token/],
  ['an error', (_, response) => response.writeHead(500).end(), /status 500/],
  ['another program', (_, response) => response.end('<html>'), /not JSON/],
  ['an endless answer', (_, response) => void endless(response), /longer than 2097152 octets/],
  ['silence', () => undefined, /no answer within 2 s/],
  ['a broken connection', (request) => request.socket.destroy(), /hang up|ECONNRESET/],
]
for (const [what, take, says] of silent)
  test(`a peer that answers with ${what} is shown as silent, with the reason`, async () => {
    const { peers, findings } = await pairWith(take)
    assert.equal(peers[0]?.summary, null)
    assert.match(peers[0]?.why ?? '', says)
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['peer-silent'],
    )
  })

function endless(response: Parameters<RequestListener>[1]): void {
  const more = (): void => {
    if (!response.destroyed) response.write(Buffer.alloc(65_536, 32), () => setImmediate(more))
  }
  more()
}

test('who listens to events is told of the peer', async () => {
  const { server, url } = await answering((_, response) =>
    response.end(JSON.stringify({ ...here, host: 'lb2', pid: 77 })),
  )
  const path = join(dir, 'events.sock')
  await serving([listener(path)], async () => {
    const stream = await listen(path, '/api/v1/events')
    const { data } = await nextEvent(stream, 'pair')
    assert.equal((data as Pair).peers[0]?.summary?.host, 'lb2')
    stream.destroy()
  }, [{ url, token: null, ca: null }])
  server.closeAllConnections()
  server.close()
})

test('over TLS a peer is believed when the authority that is named vouches for it; peers follow a reload', async () => {
  const make = (name: string) => {
    const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    return { key, cert }
  }
  const [own, other] = [make('own'), make('other')]
  const files = { key: readFileSync(own.key), cert: readFileSync(own.cert) }
  const server = createTlsServer(files, (_, response) =>
    response.end(JSON.stringify({ ...here, host: 'lb2', pid: 77 })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = server.address()
  const url = `https://127.0.0.1:${typeof at === 'object' ? at?.port : 0}`
  const path = join(dir, 'tls.sock')
  await serving([listener(path)], async (daemon) => {
    const pairNow = async () => JSON.parse((await ask(path, '/api/v1/pair')).body) as Pair
    const follow = (ca: string | null) => {
      const peers = ca === null ? [] : [{ url, token: null, ca }]
      daemon.service.take({ kind: 'listen', config: { listeners: [listener(path)], peers } })
    }
    assert.deepEqual((await pairNow()).peers, [])
    follow(other.cert)
    assert.match((await pairNow()).peers[0]?.why ?? '', /self.signed|unable to verify/i)
    follow(own.cert)
    assert.equal((await pairNow()).peers[0]?.summary?.host, 'lb2')
    follow(null)
    assert.deepEqual((await pairNow()).peers, [])
  })
  server.closeAllConnections()
  server.close()
})
