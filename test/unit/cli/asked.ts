/** The command, run, and a daemon of the test’s that answers it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Log } from '../../../src/base/log.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { startControl } from '../../../src/control/server.ts'
import type { ReloadResult } from '../../../src/daemon/types.ts'
import type { HandOver } from '../../../src/report/hand-over.ts'
import type { Observation } from '../../../src/report/observation.ts'
import type { Status } from '../../../src/report/status.ts'

export const dir = mkdtempSync(join(tmpdir(), 'vipd-cli-'))

after(() => rmSync(dir, { recursive: true }))

export const bin = fileURLToPath(new URL('../../../src/cli/run.js', import.meta.url))

export async function vipd(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { status: -1 as number | null, stdout: '', stderr: '' }
  child.stdout.on('data', (part) => {
    out.stdout += part
  })
  child.stderr.on('data', (part) => {
    out.stderr += part
  })
  out.status = ((await once(child, 'close')) as [number | null])[0]
  return out
}

export const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  flush: async () => {},
}

export const nothingSeen: Observation = {
  schema: 1,
  host: 'lb1',
  configPath: '/etc/vipd/vipd.conf',
  fromMs: 0,
  untilMs: 0,
  checks: [],
  instances: [],
}

export async function answering(
  status: Status,
  reload: ReloadResult,
  act: () => Promise<void>,
  handOver: readonly HandOver[] = [],
  pushed: (string | null)[] = [],
  observe: () => Observation = () => nothingSeen,
  results = new Float64Array(),
) {
  const control = await startControl({
    path: join(dir, 'vipd.sock'),
    log: silent,
    handlers: {
      transitions: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
      claims: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
      events: new EventFeed(),
      status: () => status,
      reload: async () => reload,
      failover: async (name) => {
        if (name !== 'VI_web') throw new Error(`no instance or sync group is called ${name}`)
        return handOver
      },
      drain: async () => handOver,
      upgrade: () => Promise.reject(new Error('it is process 1')),
      left: () => undefined,
      observe,
      results: () => new Uint8Array(results.buffer),
      push: (name, failure) => {
        if (name !== 'job') throw new Error(`no push check is called ${name} (probe push)`)
        pushed.push(failure)
      },
      resume: (name) => (name === null ? ['VI_web', 'VI_db'] : [name]),
      stop() {},
    },
  })
  try {
    await act()
  } finally {
    await control.close()
  }
}

export const accepted = { ok: true, diagnostics: [], changes: ['VI_web: priority 100 -> 150'] }
