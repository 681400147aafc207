/** Mail to a real SMTP server on this host, to one that never speaks, and to none. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { us } from '../../../src/base/time.ts'
import type { Mail, Notify } from '../../../src/config/notify.ts'
import { until } from '../../../src/lab/wait.ts'
import { composeMail, sendMail } from '../../../src/notify/mail.ts'
import { startNotifier } from '../../../src/notify/notify.ts'
import { silent } from '../router/facts.ts'

const notify: Notify = { ...silent, mail: true }

const mailTo = (port: number, server = '127.0.0.1'): Mail => ({
  to: ['ops@example.com', 'duty@example.com'],
  from: 'vipd@lb1.example.com',
  server,
  port,
  helo: 'lb1.example.com',
  connectTimeoutUs: us(2_000_000),
})

type Received = {
  readonly helo: string
  readonly from: string
  readonly to: string[]
  readonly text: string
}

/** Resolves `count` times: with all mails when that many have come. */
async function mailServer() {
  const received: Received[] = []
  let look: () => void = () => undefined
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, done) {
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const helo = String(session.hostNameAppearsAs)
        const from = mailFrom === false ? '' : mailFrom.address
        received.push({ helo, from, to: rcptTo.map(({ address }) => address), text })
        done()
        look()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  assert.ok(address !== null && typeof address === 'object')
  const arrived = async (count: number): Promise<readonly Received[]> => {
    while (received.length < count) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`only ${received.length} mails`)), 30_000)
        look = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return received
  }
  return { port: address.port, arrived, received, close: () => server.close() }
}

function quiet() {
  const lines: string[] = []
  const add = (line: string) => void lines.push(line)
  const log = { debug: add, info: add, warn: add, error: add, flush: async () => undefined }
  return { lines, log }
}

const subjectOf = ({ text }: Received): string => /^Subject: (.*)$/m.exec(text)?.[1]?.trim() ?? ''

test('one mail per change of state reaches the server', async () => {
  const server = await mailServer()
  const { lines, log } = quiet()
  const mail = mailTo(server.port)
  const notifier = startNotifier({ log, mail, routerId: 'lb1', fifos: [], noEmailFaults: true })
  const tell = (state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'MASTER_RX_LOWER_PRI') =>
    notifier.instance({ name: 'VI_1', state, priority: 150, notify })
  tell('BACKUP')
  tell('MASTER')
  tell('MASTER_RX_LOWER_PRI')
  tell('MASTER')
  tell('FAULT')
  notifier.instance({
    name: 'VI_2',
    state: 'MASTER',
    priority: 1,
    notify: { ...notify, mail: false },
  })
  notifier.group({ name: 'G1', state: 'MASTER', notify })
  tell('STOP')
  const mails = await server.arrived(4)
  await notifier.stop()
  assert.deepEqual(mails.map(subjectOf), [
    '[lb1] VRRP Instance VI_1 - Entering BACKUP state',
    '[lb1] VRRP Instance VI_1 - Entering MASTER state',
    '[lb1] VRRP Group G1 - Entering MASTER state',
    '[lb1] VRRP Instance VI_1 - Stopping',
  ])
  for (const { helo, from, to } of mails) {
    assert.equal(helo, 'lb1.example.com')
    assert.equal(from, mail.from)
    assert.deepEqual(to, mail.to)
  }
  assert.match(mails[1]?.text ?? '', /Priority: 150/)
  assert.match(mails[1]?.text ?? '', /now holds the virtual addresses/)
  assert.doesNotMatch(mails[2]?.text ?? '', /Priority/)
  assert.deepEqual(lines, [])
  server.close()
})

test('events and unknown states compose no mail', () => {
  const base = { kind: 'instance', name: 'x', priority: 1, routerId: 'r', at: new Date(0) } as const
  assert.equal(composeMail({ ...base, state: 'MASTER_RX_LOWER_PRI' }), null)
  assert.equal(composeMail({ ...base, state: 'DELETED' }), null)
  assert.match(composeMail({ ...base, state: 'FAULT' })?.text ?? '', /1970-01-01T00:00:00.000Z/)
})

test('a mail server that takes connections and never speaks delays neither scripts nor the end', async () => {
  const sockets: Socket[] = []
  const mute: Server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => mute.once('listening', resolve))
  const address = mute.address()
  assert.ok(address !== null && typeof address === 'object')
  const { log } = quiet()
  const times = { stopMs: 200 }
  const mail = mailTo(address.port)
  const notifier = startNotifier({
    log,
    mail,
    routerId: 'lb1',
    fifos: [],
    noEmailFaults: false,
    times,
  })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 1, notify })
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 1, notify })
  await until('it is connected', 30_000, () => sockets.length > 0)
  const begun = performance.now()
  await notifier.stop()
  assert.ok(performance.now() - begun < 10_000, 'stop does not wait for it')
  for (const socket of sockets) socket.destroy()
  mute.close()
})

test('a refused connection and an unknown host are reported', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const address = closed.address()
  assert.ok(address !== null && typeof address === 'object')
  await new Promise((resolve) => closed.close(resolve))
  const message = { subject: 's', text: 't' }
  await assert.rejects(sendMail(mailTo(address.port), message), /ECONNREFUSED/)
  const { lines, log } = quiet()
  const mail = mailTo(address.port)
  const notifier = startNotifier({ log, mail, routerId: 'lb1', fifos: [], noEmailFaults: false })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 1, notify })
  await until('a line of the log', 30_000, () => lines.length > 0)
  assert.match(lines[0] ?? '', /\(VI_1\) mail for MASTER was not sent: .*ECONNREFUSED/)
  await notifier.stop()
})

test('a server named in /etc/hosts is found, the next address is tried when one refuses', async () => {
  const server = await mailServer()
  await sendMail(mailTo(server.port, 'localhost'), { subject: 'by name', text: 'x' })
  const [mail] = await server.arrived(1)
  assert.ok(mail !== undefined)
  assert.equal(subjectOf(mail), 'by name')
  server.close()
})
