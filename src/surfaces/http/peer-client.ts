/** One question to a peer, bounded in size and time. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestTls, Agent as TlsAgent } from 'node:https'
import { textOf } from '../../base/errors.ts'
import type { HttpPeer } from '../../config/http.ts'
import type { Summary } from '../../report/pair.ts'
import { readBounded, readTokenFile } from './files.ts'
import { summaryFrom } from './peer-answer.ts'

/** For all of it, the name's resolution included. */
const answerMs = 2_000
const answerBytesMax = 2 * 1024 * 1024

export class PeerClient {
  readonly #peer: HttpPeer
  readonly #agent: Agent | TlsAgent

  constructor(peer: HttpPeer) {
    this.#peer = peer
    const kept = { keepAlive: true, maxSockets: 1 }
    this.#agent = peer.url.startsWith('https:') ? new TlsAgent(kept) : new Agent(kept)
  }

  /** Rejects with an Error that says, for people, why there is no answer. */
  async ask(): Promise<Summary> {
    try {
      return summaryFrom(await this.#body())
    } catch (error) {
      throw new Error(reasonOf(error))
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #body(): Promise<string> {
    const { url, token, ca } = this.#peer
    const options = {
      agent: this.#agent,
      signal: AbortSignal.timeout(answerMs),
      headers: token === null ? {} : { Authorization: `Bearer ${readTokenFile(token)}` },
    }
    const target = `${url}/api/v1/summary`
    return new Promise((resolve, reject) => {
      const take = (response: IncomingMessage) => void bodyOf(response).then(resolve, reject)
      const asking = url.startsWith('https:')
        ? requestTls(target, { ...options, ...(ca === null ? {} : { ca: readBounded(ca) }) }, take)
        : request(target, options, take)
      asking.on('error', reject)
      asking.end()
    })
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const { statusCode: status } = response
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > answerBytesMax) {
      response.destroy()
      throw new Error(`its answer is longer than ${answerBytesMax} octets`)
    }
    chunks.push(chunk)
  }
  if (status === 401 || status === 403)
    throw new Error(`it refuses to tell (status ${status}): is the token right?`)
  if (status !== 200) throw new Error(`it answers with status ${status}`)
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'))
    return `no answer within ${answerMs / 1_000} s`
  return textOf(error).slice(0, 300)
}
