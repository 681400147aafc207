/** One request, one answer. A redirect is an answer like any other: it is not followed. */
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpProbe } from '../base/probe.ts'
import { type Asking, describeFailure, open, Refusal } from './probe-connection.ts'

/** Of a body that is looked at. */
const bodyBytesMax = 1_048_576

/** Resolves with the words of success. Rejects with a Refusal. */
export async function askHttp(probe: HttpProbe, asking: Asking): Promise<string> {
  const { host, port, tls } = probe
  const socket = await open({ kind: 'tcp', host, port }, tls, asking)
  const response = await respond(probe, socket)
  asking.passed('first byte')
  const status = response.statusCode ?? 0
  if (!probe.status.some(({ from, to }) => status >= from && status <= to))
    throw new Refusal(`status ${status}`)
  for (const { name, source } of probe.fields) {
    const value = String(response.headers[name] ?? '')
    if (!new RegExp(source).test(value)) throw new Refusal(`${name} is '${value}', not /${source}/`)
  }
  if (probe.body !== null) await lookFor(probe.body, response)
  return `status ${status}`
}

function respond(
  { method, path, hostField, host, port }: HttpProbe,
  socket: Socket,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { Host: hostField, 'User-Agent': 'vipd', Connection: 'close' }
    const createConnection = () => socket
    const asked = request({ method, path, host, port, headers, createConnection })
    asked.once('response', resolve)
    asked.once('error', (error) => reject(new Refusal(describeFailure(error))))
    asked.end()
  })
}

async function lookFor(source: string, response: IncomingMessage): Promise<void> {
  const pieces: Buffer[] = []
  let length = 0
  try {
    for await (const piece of response) {
      pieces.push(piece as Buffer)
      length += (piece as Buffer).length
      if (length > bodyBytesMax) break
    }
  } catch (error) {
    throw new Refusal(error instanceof Error ? describeFailure(error) : String(error))
  }
  const body = Buffer.concat(pieces).subarray(0, bodyBytesMax).toString()
  if (!new RegExp(source, 's').test(body))
    throw new Refusal(`/${source}/ is not in the body of ${length} bytes`)
}
