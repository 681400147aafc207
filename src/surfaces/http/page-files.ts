/** The page: its few files, read once, served from memory. A browser asks each time whether they are still the same. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answer } from './answers.ts'

export type PageFile = {
  /** Of its URL. */
  readonly path: string
  readonly type: string
  readonly bytes: Buffer
  readonly etag: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
}
const folder = dirname(fileURLToPath(new URL('../page/index.html', import.meta.url)))

/** `index.html` is at `/`, the others below `/page/`. None when this program was built without them. */
export function pageFiles(): readonly PageFile[] {
  return namesIn(folder).flatMap((name) => {
    const type = types[extname(name)]
    if (type === undefined) return []
    const bytes = readFileSync(join(folder, name))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    return [{ path: name === 'index.html' ? '/' : `/page/${name}`, type, bytes, etag }]
  })
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

export function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  { type, bytes, etag }: PageFile,
): void {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' }
  if (request.headers['if-none-match'] === etag) answer(response, 304, { type, bytes: '', headers })
  else answer(response, 200, { type, bytes, headers })
}
