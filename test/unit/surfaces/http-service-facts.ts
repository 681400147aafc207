/** Tokens, listeners and files for the tests of the HTTP surface. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { HttpListener } from '../../../src/config/http.ts'

export const dir = mkdtempSync(join(tmpdir(), 'vipd-http-'))

after(() => rmSync(dir, { recursive: true }))

export const readToken = 'read-token-read-token'

export const actToken = 'act-token-act-token-1'

export const file = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(join(dir, name), text, { mode })
  return join(dir, name)
}

export const listener = (path: string, more: Partial<HttpListener> = {}): HttpListener => ({
  address: { kind: 'unix', path, mode: 0o600, gid: null },
  readToken: null,
  actionToken: null,
  tls: null,
  names: [],
  ...more,
})

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
