/** HTTP as a client of the service speaks it: over a Unix socket or a port, with a bound on the whole. */
import { type IncomingMessage, type RequestOptions, request } from 'node:http'

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Question = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** `to`: the path of a socket, or a port of 127.0.0.1. */
export const ask = (to: string | number, path: string, question: Question = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asking = request({ ...optionsTo(to, path, question), timeout: 20_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') })
      })
    })
    asking.on('timeout', () => asking.destroy(new Error(`no answer to ${path}`)))
    asking.on('error', reject)
    asking.end(question.body)
  })

/** The response to a request that does not end. */
export const listen = (to: string | number, path: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asking = request(optionsTo(to, path, {}), resolve)
    asking.on('error', reject)
    asking.end()
  })

const optionsTo = (to: string | number, path: string, question: Question): RequestOptions => ({
  ...(typeof to === 'string' ? { socketPath: to } : { host: '127.0.0.1', port: to }),
  path,
  method: question.method ?? 'GET',
  headers: { Host: 'localhost', ...question.headers },
  agent: false,
})

export type Event = { readonly name: string; readonly data: unknown }

/** The next event of that name. Rejects at the end of the stream. */
export async function nextEvent(stream: IncomingMessage, name: string): Promise<Event> {
  let text = rests.get(stream) ?? ''
  for (;;) {
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const [, is, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      if (is !== name || data === undefined) continue
      rests.set(stream, text)
      return { name: is, data: JSON.parse(data) }
    }
    text += await nextChunk(stream)
  }
}

const rests = new WeakMap<IncomingMessage, string>()

const nextChunk = (stream: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const failed = () => reject(new Error('the stream has ended'))
    stream.once('close', failed)
    stream.once('readable', () => {
      stream.removeListener('close', failed)
      resolve(String(stream.read() ?? ''))
    })
  })
