/** One request, one answer. A redirect is an answer like any other: it is not followed. */
import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpProbe } from '../../base/probe.ts'
import { matches } from '../verdict/pattern.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { describeFailure, open, type ProbeContext } from './connection.ts'

/** Of a body that is looked at. */
const bodyBytesMax = 1_048_576

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function probeHttp(probe: HttpProbe, context: ProbeContext): Promise<string> {
  const { host, port, tls } = probe
  const socket = await open({ kind: 'tcp', host, port }, tls, context)
  const response = await respond(probe, socket)
  context.passed('first byte')
  const status = response.statusCode ?? 0
  if (!probe.status.some(({ from, to }) => status >= from && status <= to))
    throw new ProbeFailure(`status ${status}`)
  for (const { name, source } of probe.fields) {
    const value = String(response.headers[name] ?? '')
    if (!matches(source, value)) throw new ProbeFailure(`${name} is '${value}', not /${source}/`)
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
    asked.once('error', (error) => reject(new ProbeFailure(describeFailure(error))))
    asked.end()
  })
}

/** @throws ProbeFailure when the body is not the expected one, or does not end. */
async function lookAtBody(
  { body: source, digest }: HttpProbe,
  response: IncomingMessage,
): Promise<void> {
  const { text, length, hash } = await readBody(response)
  if (source !== null && !matches(source, text))
    throw new ProbeFailure(`/${source}/ is not in the body of ${length} bytes`)
  if (digest === null) return
  if (length > bodyBytesMax) throw new ProbeFailure(`the body is longer than ${bodyBytesMax} bytes`)
  if (hash !== digest) throw new ProbeFailure(`the body of ${length} bytes has the digest ${hash}`)
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
    throw new ProbeFailure(error instanceof Error ? describeFailure(error) : String(error))
  }
  const body = Buffer.concat(pieces).subarray(0, bodyBytesMax)
  return {
    text: body.toString(),
    length,
    hash: createHash('sha256').update(body).digest('hex'),
  }
}
