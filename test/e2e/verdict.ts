/**
 * Runs inside a host of the lab: asks targets without a service, which refuse where packets to them are taken.
 * `verdict.js QUESTIONS`, the questions as JSON; prints the answers in their order: answered, dropped (silence), or an error.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { probeEcho } from '../../src/checks/probes/icmp.ts'

export type Question = {
  readonly by: 'echo' | 'tcp' | 'udp'
  /** A link-local one with its interface: 'fe80::1%eth0'. */
  readonly to: string
  readonly from?: string
}

/** Above the second and third SYN of a connection, and several of the others. */
const patienceMs = 4_000
const everyMs = 400
const port = 9

const ways: Readonly<Record<Question['by'], (it: Question, end: (word: string) => void) => void>> =
  {
    echo({ to: host }, end) {
      const context = { timeoutMs: patienceMs, opened: () => undefined, passed: () => undefined }
      const send = () =>
        probeEcho({ kind: 'icmp', host, octets: 16 }, context).then(
          () => end('answered'),
          (error: Error) => end(error.message),
        )
      void send()
      setInterval(send, everyMs)
    },
    tcp({ to: host, from: localAddress }, end) {
      const socket = connect({
        host,
        port,
        ...(localAddress === undefined ? {} : { localAddress }),
      })
      socket.on('error', (error) => end('code' in error ? String(error.code) : error.message))
    },
    udp({ to }, end) {
      const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4')
      socket.on('error', (error) => end('code' in error ? String(error.code) : error.message))
      socket.connect(port, to, () => {
        const send = () => socket.send('?', () => undefined)
        send()
        setInterval(send, everyMs)
      })
    },
  }

const [asked = '[]'] = process.argv.slice(2)
const questions = JSON.parse(asked) as readonly Question[]
const answers = await Promise.all(
  questions.map(
    (question) =>
      new Promise<string>((resolve) => {
        setTimeout(() => resolve('dropped'), patienceMs)
        ways[question.by](question, (word) => resolve(word === 'ECONNREFUSED' ? 'answered' : word))
      }),
  ),
)
process.stdout.write(JSON.stringify(answers))
process.exit()
