/** One request, one answer. A redirect is an answer like any other: it is not followed. */
import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpProbe } from '../../base/probe.ts'
import { matches } from '../verdict/pattern.ts'
import { Refusal } from '../verdict/probe-failure.ts'
import { type Asking, describeFailure, open } from './connection.ts'

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
    if (!matches(source, value)) throw new Refusal(`${name} is '${value}', not /${source}/`)
  }
  if (probe.body !== null || probe.digest !== null) await lookAtBody(probe, response)
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

/** @throws Refusal when the body is not the expected one, or does not end. */
async function lookAtBody(
  { body: source, digest }: HttpProbe,
  response: IncomingMessage,
): Promise<void> {
  const { text, length, hash } = await readBody(response)
  if (source !== null && !matches(source, text))
    throw new Refusal(`/${source}/ is not in the body of ${length} bytes`)
  if (digest === null) return
  if (length > bodyBytesMax) throw new Refusal(`the body is longer than ${bodyBytesMax} bytes`)
  if (hash !== digest) throw new Refusal(`the body of ${length} bytes has the digest ${hash}`)
}

async function readBody(response: IncomingMessage) {
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
  const body = Buffer.concat(pieces).subarray(0, bodyBytesMax)
  return {
    text: body.toString(),
    length,
    hash: createHash('sha256').update(body).digest('hex'),
  }
}
