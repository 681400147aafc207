/** The HTTP surface and its files: addresses, tokens, certificates. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { ask } from './http-client.ts'
import { serving } from './http-daemon.ts'
import { actToken, bearer, dir, file, listener, readToken } from './http-service-facts.ts'

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
