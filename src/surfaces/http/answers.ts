/** How an answer looks: its headers, its form, its end. */
import type { ServerResponse } from 'node:http'

/** A reader that takes no octet of an answer for so long does not read. */
export const stalledMs = 15_000

const headers: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export type Body = {
  readonly type: string
  /** What others may be sent at the same time is no copy. */
  readonly bytes: Buffer | string
  /** Behind them. */
  readonly end?: string
  readonly headers?: Readonly<Record<string, string>>
}

export function answer(response: ServerResponse, status: number, body: Body): void {
  if (response.destroyed || response.headersSent) return
  const { bytes, end = '' } = body
  response.writeHead(status, {
    ...headers,
    'Content-Type': body.type,
    'Content-Length': Buffer.byteLength(bytes) + Buffer.byteLength(end),
    ...body.headers,
  })
  if (response.req.method === 'HEAD') return void response.end()
  if (end !== '') response.write(bytes)
  response.end(end === '' ? bytes : end)
}

/** `bytes`: one line without its end. */
export const jsonBytes = (bytes: Buffer): Body => ({
  ...{ type: 'application/json; charset=utf-8', bytes, end: '\n' },
})

export const json = (value: unknown): Body => ({
  type: 'application/json; charset=utf-8',
  bytes: `${JSON.stringify(value)}\n`,
})

export const text = (line: string): Body => ({
  type: 'text/plain; charset=utf-8',
  bytes: `${line}\n`,
})

/** A refusal: a stable code for programs, a sentence for people. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    extra: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.headers = extra
  }
}

export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { status, code, message } = refusal
  answer(response, status, { ...json({ error: { code, message } }), headers: refusal.headers })
}

/** The head of a stream of events; its end is the client's. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, {
    ...headers,
    'Content-Type': 'text/event-stream; charset=utf-8',
    'X-Accel-Buffering': 'no',
  })
}
