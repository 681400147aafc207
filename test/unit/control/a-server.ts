/** A control server with handlers of the test, and sockets to it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import {
  type ControlHandlers,
  type ControlTimes,
  startControl,
} from '../../../src/control/server.ts'
import { aStatus } from '../cli/a-status.ts'

export const dir = mkdtempSync(join(tmpdir(), 'vipd-control-'))

after(() => rmSync(dir, { recursive: true }))

export const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  flush: async () => {},
}

/** A daemon with nothing to do. */
export const idle: ControlHandlers = {
  transitions: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
  claims: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
  events: new EventFeed(),
  status: () => aStatus,
  reload: async () => ({ ok: true, diagnostics: [], changes: [] }),
  failover: async () => [],
  drain: async () => [],
  upgrade: () => Promise.reject(new Error('unused')),
  left: () => undefined,
  resume: () => [],
  observe: () => ({
    schema: 1,
    host: '',
    configPath: '',
    fromMs: 0,
    untilMs: 0,
    checks: [],
    instances: [],
  }),
  results: () => new Uint8Array(),
  push() {},
  stop() {},
}

let sockets = 0
/** Where no socket is yet. */
export const newPath = (): string => join(dir, `${sockets++}.sock`)

export async function serving(
  handlers: Partial<ControlHandlers>,
  act: (path: string) => Promise<void>,
  times?: ControlTimes,
) {
  const path = newPath()
  const control = await startControl({
    path,
    log: silent,
    handlers: { ...idle, ...handlers },
    ...(times ? { times } : {}),
  })
  try {
    await act(path)
  } finally {
    await control.close()
  }
  assert.equal(existsSync(path), false, 'the socket is gone after close')
}

/** Everything that arrives until the other end closes. */
export async function drained(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part) => parts.push(part))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(parts)
}
