/**
 * Runs inside the client's host: asks an address over HTTP every few milliseconds, each time on a connection of
 * its own and without waiting for the one before, and writes one line per answer: when the question was put
 * (milliseconds since the epoch), and which host answered, '-' for none.
 */
import { get } from 'node:http'
import { nowMs } from './wait.ts'

const [, , address = '', everyMs = '10', patienceMs = '250'] = process.argv
const host = address.includes(':') ? `[${address}]` : address

function ask(): void {
  const askedMs = nowMs()
  let answered = false
  const tell = (who: string): void => {
    if (!answered) process.stdout.write(`${askedMs.toFixed(3)} ${who}\n`)
    answered = true
  }
  const request = get(`http://${host}/`, {
    agent: false,
    signal: AbortSignal.timeout(Number(patienceMs)),
  })
  request.on('response', (response) => {
    let body = ''
    response.on('data', (data: Buffer) => {
      body += String(data)
    })
    response.on('end', () => tell(body))
    response.on('error', () => tell('-'))
  })
  request.on('error', () => tell('-'))
}

setInterval(ask, Number(everyMs))
