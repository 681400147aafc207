/**
 * Every probe that talks, against every way in which a server can behave badly: refuse, say nothing, say something else,
 * drip, talk without end, hang up, reset. None of it may pass, and each has words for the operator.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { after, test } from 'node:test'
import { freePort, said, serve } from './asking.ts'

const ways = {
  silent: () => undefined,
  wrong: (socket: Socket) => void socket.write('SSH-2.0-OpenSSH_9.2p1\r\n\r\n\n\n'),
  drip: (socket: Socket) => {
    const timer = setInterval(() => socket.write('S'), 10)
    socket.once('close', () => clearInterval(timer))
  },
  huge: (socket: Socket) => void socket.write(Buffer.alloc(8 << 20, 'S')),
  'hangs up': (socket: Socket) => void socket.end(),
  reset: (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()),
} as const
type Way = keyof typeof ways

const noTls: Readonly<Record<Way, string>> = {
  silent: 'timeout',
  wrong: 'no TLS: wrong version number',
  drip: 'no TLS: wrong version number',
  huge: 'no TLS: wrong version number',
  'hangs up': 'no TLS: connection reset',
  reset: 'no TLS: connection reset',
}

const line = 'SSH-2.0-OpenSSH_9.2p1'
const kinds: Readonly<
  Record<string, readonly [line: (at: string) => string, Readonly<Record<Way, string>>]>
> = {
  tcp: [
    (at) => `tcp ${at} send x expect OK`,
    {
      silent: 'timeout',
      wrong: 'timeout',
      drip: 'timeout',
      huge: "no 'OK' not within 65536 bytes",
      'hangs up': 'no closed without an answer',
      reset: 'no connection reset',
    },
  ],
  tls: [(at) => `tls ${at}`, noTls],
  http: [
    (at) => `http http://${at}/`,
    {
      silent: 'timeout',
      wrong: 'no not an HTTP answer',
      drip: 'no not an HTTP answer',
      huge: 'no not an HTTP answer',
      'hangs up': 'no connection reset',
      reset: 'no connection reset',
    },
  ],
  https: [(at) => `https https://${at}/`, noTls],
  smtp: [
    (at) => `smtp ${at}`,
    {
      silent: 'timeout',
      wrong: `no answered '${line}'`,
      drip: 'timeout',
      huge: 'no /^220[ -]/ not within 65536 bytes',
      'hangs up': 'no closed without an answer',
      // It waits for the greeting, and says nothing that could be answered with a reset.
      reset: 'timeout',
    },
  ],
  redis: [
    (at) => `redis ${at}`,
    {
      silent: 'timeout',
      wrong: `no answered '${line}'`,
      drip: 'timeout',
      huge: 'no /^\\+PONG$/ not within 65536 bytes',
      'hangs up': 'no closed without an answer',
      reset: 'no connection reset',
    },
  ],
  postgres: [
    (at) => `postgres ${at}`,
    {
      silent: 'timeout',
      wrong: `no not a PostgreSQL server: '${line}'`,
      drip: "no not a PostgreSQL server: 'SSSSS'",
      huge: `no not a PostgreSQL server: '${'S'.repeat(60)}…'`,
      'hangs up': 'no closed without an answer',
      reset: 'no connection reset',
    },
  ],
  mysql: [
    (at) => `mysql ${at}`,
    {
      silent: 'timeout',
      wrong: `no not a MySQL server: '${line}'`,
      drip: "no not a MySQL server: 'SSSS'",
      huge: `no not a MySQL server: '${'S'.repeat(60)}…'`,
      'hangs up': 'no closed without an answer',
      reset: 'timeout',
    },
  ],
  haproxy: [
    (at) => `haproxy ${at} web/s1`,
    {
      silent: 'timeout',
      wrong: `no not HAProxy's runtime API: '${line}'`,
      drip: 'timeout',
      huge: 'no an answer of more than 4194304 bytes',
      'hangs up': 'no closed without an answer',
      reset: 'no connection reset',
    },
  ],
}

for (const [kind, [lineFor, expected]] of Object.entries(kinds))
  test(`${kind}: a server that behaves badly`, async (t) => {
    const refused = await said(lineFor(`127.0.0.1:${await freePort()}`))
    assert.equal(refused, 'no connection refused')
    for (const way of Object.keys(ways) as Way[]) {
      const at = `127.0.0.1:${await serve(ways[way])}`
      const patient = expected[way] === 'timeout' ? 150 : 10_000
      const words = await said(lineFor(at), patient)
      t.diagnostic(`${way}: ${words}`)
      // A server that hangs up while we speak answers with its end or with a reset, as the kernel has it.
      if (way === 'hangs up')
        assert.match(
          words,
          /^no (TLS: )?(connection reset|closed without an answer|the connection was closed|.*disconnected.*)$/,
        )
      else assert.equal(words, expected[way], way)
    }
  })

for (const [kind, lineFor] of Object.entries({
  udp: (at: string) => `udp ${at} send x expect OK`,
  dns: (at: string) => `dns www.test @${at}`,
}))
  test(`${kind}: a server that behaves badly`, async (t) => {
    assert.equal(await said(lineFor(`127.0.0.1:${await freePort()}`)), 'no connection refused')
    const answers = { silent: null, wrong: Buffer.from(line), huge: Buffer.alloc(60_000, 'S') }
    for (const [way, answer] of Object.entries(answers)) {
      const server = createSocket('udp4', (query, from) => {
        if (answer === null) return
        // For dns: with the question's number, for an answer to another question is not looked at.
        if (kind === 'dns') query.copy(answer, 0, 0, 2)
        server.send(answer, from.port, from.address)
      })
      await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
      after(() => server.close())
      const words = await said(
        lineFor(`127.0.0.1:${server.address().port}`),
        answer === null ? 100 : 5_000,
      )
      t.diagnostic(`${way}: ${words}`)
      assert.match(
        words,
        answer === null ? /^timeout$/ : /^no ('OK' is not in the answer|not a DNS answer)/,
      )
    }
  })
