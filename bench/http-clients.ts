/** The clients of bench:http, in a thread of their own: most read events, some never read a single octet. */
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { path, reading, stalling } = workerData as {
  readonly path: string
  readonly reading: number
  readonly stalling: number
}
const question = 'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n'
let octets = 0

for (let i = 0; i < reading + stalling; i += 1) {
  const socket = connect(path)
  socket.on('error', () => undefined)
  socket.write(question)
  if (i < stalling) socket.pause()
  else
    socket.on('data', (chunk) => {
      octets += chunk.length
    })
}

parentPort?.on('message', () => parentPort?.postMessage(octets))
