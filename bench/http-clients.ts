/**
 * The clients of bench:http, in a process of their own: most read events, some never read a single octet, some ask anew each
 * second. In reality they are other hosts: where they and the daemon want the same processor, the daemon has it.
 */
import { request } from 'node:http'
import { connect } from 'node:net'
import { setPriority } from 'node:os'

const [told = ''] = process.argv.slice(2)
const { path, reading, stalling, asking } = JSON.parse(told) as {
  readonly path: string
  readonly reading: number
  readonly stalling: number
  readonly asking: number
}
const question = 'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n'
let octets = 0

setPriority(19)

function listen(reads: boolean): void {
  const socket = connect(path)
  socket.on('error', () => undefined)
  // As a browser does.
  socket.on('close', () => setTimeout(listen, 1_000, reads))
  socket.write(question)
  if (!reads) socket.pause()
  else
    socket.on('data', (chunk) => {
      octets += chunk.length
    })
}

function ask(target: string): void {
  const asked = request({ socketPath: path, path: target }, (response) => {
    response.on('data', (chunk: Buffer) => {
      octets += chunk.length
    })
  })
  asked.on('error', () => undefined)
  asked.end()
}

for (let i = 0; i < reading + stalling; i += 1) listen(i >= stalling)
for (let i = 0; i < asking; i += 1)
  setInterval(ask, 1_000, i % 2 === 0 ? '/api/v1/status' : '/metrics')

process.on('message', () => process.send?.(octets))
process.on('disconnect', () => process.exit())
