/** Each probe against real servers, from the line of the configuration to the words that an operator reads. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { SMTPServer } from 'smtp-server'
import { runProbe } from '../../../src/checks/probes/probe.ts'
import type { Outcome } from '../../../src/programs/outcome.ts'
import { certificate, directory, freePort, listen, said, serve } from './asking.ts'

const ca = certificate('good', '-days', '20')

test('tcp: connected, refused, unknown, cancelled', async () => {
  const port = await serve(() => undefined)
  assert.equal(await said(`tcp 127.0.0.1:${port}`), 'yes connected')
  assert.equal(await said(`tcp localhost:${port}`), 'yes connected')
  assert.equal(await said('tcp 127.0.0.1:1'), 'no connection refused')
  assert.equal(
    await said('tcp no.such.name.invalid:80', 3_000),
    'no unknown host no.such.name.invalid',
  )
  const all: Outcome[] = []
  const to = { kind: 'tcp', host: '127.0.0.1', port } as const
  runProbe({ kind: 'dialogue', to, tls: null, turns: [] }, 50, (o) => all.push(o)).cancel()
  await said(`tcp 127.0.0.1:${port}`)
  assert.deepEqual(all, [])
})

test('tcp: what is said and what is expected, in turn; text, octets and patterns', async () => {
  const port = await serve((socket) => {
    socket.write('hello\r\n')
    socket.on('data', (data) => socket.write(`you said ${data.toString('hex')}\n`))
  })
  const to = `tcp 127.0.0.1:${port}`
  assert.equal(
    await said(`${to} expect "hello\\r\\n" send "a\\x00b" expect 610062`),
    'yes answered as expected',
  )
  assert.equal(
    await said(`${to} expect_hex 68656c6c6f send_hex ff expect_regex "said f+"`),
    'yes answered as expected',
  )
})

test('tcp: a wrong answer, none, a slow one, a huge one, and a reset', async () => {
  const wrong = await serve((socket) => socket.end('-ERR not today\r\n'))
  assert.equal(
    await said(`tcp 127.0.0.1:${wrong} expect OK`),
    "no 'OK' is not in the answer '-ERR not today'",
  )
  const nothing = await serve((socket) => socket.end())
  assert.equal(await said(`tcp 127.0.0.1:${nothing} expect OK`), 'no closed without an answer')
  const silent = await serve(() => undefined)
  assert.equal(await said(`tcp 127.0.0.1:${silent} expect OK`, 50), 'timeout')
  const drip = await serve((socket) => {
    const timer = setInterval(() => socket.write('.'), 5)
    socket.once('close', () => clearInterval(timer))
  })
  assert.equal(await said(`tcp 127.0.0.1:${drip} expect OK`, 80), 'timeout')
  const huge = await serve((socket) => socket.write(Buffer.alloc(4 << 20, 'x')))
  assert.equal(await said(`tcp 127.0.0.1:${huge} expect OK`), "no 'OK' not within 65536 bytes")
  const reset = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()))
  assert.equal(await said(`tcp 127.0.0.1:${reset} send x expect OK`), 'no connection reset')
})

test('unix: a socket that is there, and one that is not', async () => {
  const path = join(directory, 'socket')
  const server = createServer((socket) => socket.on('error', () => undefined).end('OK\n')).listen(
    path,
  )
  await new Promise((resolve) => server.once('listening', resolve))
  after(() => server.close())
  assert.equal(await said(`unix ${path}`), 'yes connected')
  assert.equal(await said(`unix ${path} expect OK`), 'yes answered as expected')
  assert.equal(await said(`unix ${path}.not`), 'no no such socket')
})

test('tls: the chain, the name and the days are verified', async () => {
  const port = await listen(
    createTls({ cert: ca.text, key: readFileSync(ca.key) }, (socket) => {
      socket.on('error', () => undefined)
      socket.write('220 hello\r\n')
    }),
  )
  const to = `tls localhost:${port}`
  assert.equal(await said(`${to} ca ${ca.path}`), 'yes connected')
  assert.equal(await said(`${to} ca ${ca.path} expect 220`), 'yes answered as expected')
  assert.equal(await said(to), 'no TLS: self-signed certificate')
  const warned: string[] = []
  const note = ({ message }: Error) => void warned.push(message)
  process.on('warning', note)
  assert.equal(await said(`tls 127.0.0.1:${port} ca ${ca.path}`), 'yes connected')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  assert.deepEqual(warned, [], 'an address is no server name')
  assert.equal(
    await said(`${to} ca ${ca.path} sni other.example`),
    'no TLS: certificate is for another name',
  )
  assert.equal(await said(`${to} ca ${ca.path} days 15`), 'yes connected')
  assert.match(
    await said(`${to} ca ${ca.path} days 30`),
    /^no certificate expires in (19|20) days$/,
  )
  const plain = await serve((socket) => socket.end('SSH-2.0\r\n'))
  assert.equal(await said(`tls localhost:${plain} ca ${ca.path}`), 'no TLS: wrong version number')
  const closing = await serve((socket) => socket.end())
  assert.match(await said(`tls localhost:${closing} ca ${ca.path}`), /^no TLS: /)
  const silent = await serve(() => undefined)
  assert.equal(await said(`tls localhost:${silent} ca ${ca.path}`, 50), 'timeout')
})

const pages: RequestListener = (request, response) => {
  const status = Number(/\d{3}/.exec(request.url ?? '')?.[0] ?? 200)
  response.writeHead(status, { 'X-Node': 'lb1', Location: '/elsewhere' })
  if (request.url === '/slow') response.write('part')
  else if (request.url === '/huge') response.end(Buffer.alloc(3 << 20, 'x'))
  else if (request.url === '/torn') response.write('part', () => request.socket.destroy())
  else response.end(`${request.method} ${request.url} for ${request.headers.host}`)
}

test('http: status, fields, body, method, host; no redirect is followed', async () => {
  const server = createHttp(pages)
  const port = await listen(server)
  after(() => server.closeAllConnections())
  const to = `http http://127.0.0.1:${port}`
  assert.equal(await said(to), 'yes status 200')
  assert.equal(await said(`${to}/404`), 'no status 404')
  assert.equal(await said(`${to}/404 status 200-299,404`), 'yes status 404')
  assert.equal(await said(`${to}/302`), 'yes status 302')
  assert.equal(await said(`${to}/302 status 200`), 'no status 302')
  assert.equal(await said(`${to} header "x-node: ^lb1$"`), 'yes status 200')
  assert.equal(await said(`${to} header "X-Node: lb2"`), "no x-node is 'lb1', not /lb2/")
  assert.equal(
    await said(`${to}/a?b=c host web.example body "GET /a.b=c for web.example"`),
    'yes status 200',
  )
  assert.match(await said(`${to} body up`), /^no \/up\/ is not in the body of \d+ bytes$/)
  assert.equal(await said(`${to} method HEAD`), 'yes status 200')
  assert.equal(await said(`${to}/slow`), 'yes status 200', 'the body is not waited for')
  assert.equal(await said(`${to}/slow body x`, 80), 'timeout')
  assert.match(await said(`${to}/huge body y`), /^no \/y\/ is not in the body of 1\d{6} bytes$/)
  assert.match(await said(`${to}/torn body y`), /^no (connection reset|aborted)/)
  const digest = createHash('sha256').update('GET /page for h').digest('hex')
  assert.equal(await said(`${to}/page host h sha256 ${digest}`), 'yes status 200')
  assert.match(
    await said(`${to}/other host h sha256 ${digest}`),
    /^no the body of 16 bytes has the digest [0-9a-f]{64}$/,
  )
  assert.match(
    await said(`${to}/huge sha256 ${digest}`),
    /^no the body is longer than 1048576 bytes$/,
  )
  assert.equal(
    await said(`${to}/${'a'.repeat(40)} body "(a+)+$"`),
    'no /(a+)+$/ takes longer than 50 ms on this answer',
  )
  const other = await serve((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))
  assert.equal(await said(`http http://127.0.0.1:${other}/`), 'no not an HTTP answer')
  assert.equal(await said('http http://127.0.0.1:1/'), 'no connection refused')
})

test('https: as tls and as http', async () => {
  const server = createHttps({ cert: ca.text, key: readFileSync(ca.key) }, pages)
  const port = await listen(server)
  after(() => server.closeAllConnections())
  assert.equal(
    await said(`https https://localhost:${port}/ ca ${ca.path} body localhost`),
    'yes status 200',
  )
  assert.equal(await said(`https https://localhost:${port}/503 ca ${ca.path}`), 'no status 503')
  assert.equal(await said(`https https://localhost:${port}/`), 'no TLS: self-signed certificate')
})

test('https: a server that wants to know who asks', async () => {
  const options = { cert: ca.text, key: readFileSync(ca.key), ca: ca.text, requestCert: true }
  const server = createHttps({ ...options, rejectUnauthorized: true }, pages)
  const port = await listen(server)
  after(() => server.closeAllConnections())
  const to = `https https://localhost:${port}/ ca ${ca.path}`
  assert.equal(await said(`${to} cert ${ca.path} key ${ca.key}`), 'yes status 200')
  assert.match(await said(to), /^no (connection reset|.*certificate required.*)/)
})

test('smtp: a real server, one that has no time, and one that speaks another language', async () => {
  const smtp = new SMTPServer({ disabledCommands: ['STARTTLS'] })
  const server = smtp.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  after(() => smtp.close(() => undefined))
  const { port } = server.address() as AddressInfo
  assert.equal(await said(`smtp 127.0.0.1:${port}`), 'yes answered as expected')
  const busy = await serve((socket) => socket.end('421 too busy\r\n'))
  assert.equal(await said(`smtp 127.0.0.1:${busy}`), "no answered '421 too busy'")
})

/** Resolves with its port when it answers. */
async function startRedis(...options: string[]): Promise<number> {
  const port = await freePort()
  const where = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', directory]
  const redis = spawn('redis-server', [...where, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => redis.kill())
  await new Promise<void>((resolve, reject) => {
    redis.once('error', reject)
    redis.stdout.on('data', (data: Buffer) => void (data.includes('Ready to accept') && resolve()))
  })
  return port
}

test('redis: a real server, and one that wants a password', async () => {
  assert.equal(await said(`redis 127.0.0.1:${await startRedis()}`), 'yes answered as expected')
  const locked = await startRedis('--requirepass', 'secret')
  assert.equal(
    await said(`redis 127.0.0.1:${locked}`),
    "no answered '-NOAUTH Authentication required.'",
  )
})
