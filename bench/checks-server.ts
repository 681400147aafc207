/** What the checks of the bench ask: a process of a known name that accepts, answers, or says nothing. */
import { createSocket } from 'node:dgram'
import { createServer as createHttp } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { ports } from './checks-ports.ts'

process.title = 'bench-server'
const quiet = (socket: Socket) => socket.on('error', () => undefined)
const servers = [
  createServer((socket) => quiet(socket).end()).listen(ports.plain, '127.0.0.1', 4_096),
  createHttp((_, response) => response.end('ok')).listen(ports.http, '127.0.0.1', 4_096),
  createServer((socket) => quiet(socket).resume()).listen(ports.silent, '127.0.0.1', 4_096),
]
const udp = createSocket('udp4', (data, from) => udp.send(data, from.port, from.address))
udp.bind(ports.udp, '127.0.0.1')
await Promise.all(
  [...servers, udp].map((one) => new Promise((resolve) => one.once('listening', resolve))),
)
process.stdout.write('listening\n')
