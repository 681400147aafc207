/** Standard output that a reader has left, or that a full disk refuses: no stack, and a status that means something. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { startControl } from '../../../src/control/server.ts'
import { aStatus } from './a-status.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-output-'))
after(() => rmSync(dir, { recursive: true }))
const bin = fileURLToPath(new URL('../../../src/cli/run.js', import.meta.url))
const conf = join(dir, 'a.conf')
writeFileSync(
  conf,
  `vrrp_script job {\n  script "/bin/true"\n}
vrrp_instance V {\n  interface eth0\n  virtual_router_id 5\n  track_script {\n    job\n  }
  virtual_ipaddress {\n    10.9.9.9/24\n  }\n}\nglobal_defs {\n  dynamic_interfaces\n  enable_script_security\n  script_user root\n}\n`,
)

const full = openSync('/dev/full', 'w')

/** With a standard output that is full, or a pipe whose other end is closed. */
async function vipd(out: 'full' | 'left', ...args: string[]) {
  const stdout = out === 'full' ? full : 'pipe'
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', stdout, 'pipe'] })
  child.stdout?.destroy()
  let stderr = ''
  child.stderr?.on('data', (part) => {
    stderr += part
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stderr }
}

const quiet = () => undefined

test('every command that prints', async () => {
  const unused = () => {
    throw new Error('not asked for')
  }
  const well = { ...aStatus, warnings: [], instances: aStatus.instances.slice(0, 1), checks: [] }
  const control = await startControl({
    path: join(dir, 'vipd.sock'),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: async () => undefined },
    handlers: {
      transitions: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
      claims: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
      events: new EventFeed(),
      status: () => well,
      reload: async () => ({ ok: true, diagnostics: [], changes: ['V: priority 1 -> 2'] }),
      failover: async () => [],
      drain: async () => [],
      upgrade: unused,
      left: unused,
      observe: unused,
      results: unused,
      push: unused,
      resume: () => ['V'],
      stop: quiet,
    },
  })
  const on = ['--run-dir', dir]
  const commands: readonly (readonly [number, ...string[]])[] = [
    [0, 'version'],
    [0, '--help'],
    [0, 'status', ...on],
    [0, 'status', '--json', ...on],
    [0, 'reload', ...on],
    [0, 'resume', ...on],
    [0, 'history', '--json', ...on],
    [0, 'check', '-f', conf],
    [0, 'check', '--json', '-f', conf],
    [0, 'probe', 'job', '-n', '3', '-f', conf],
  ]
  try {
    for (const [status, ...args] of commands) {
      assert.deepEqual(await vipd('left', ...args), { status, stderr: '' }, args.join(' '))
      const refused = await vipd('full', ...args)
      const expected = { status: 4, stderr: 'vipd: standard output: ENOSPC\n' }
      assert.deepEqual(refused, expected, args.join(' '))
    }
  } finally {
    await control.close()
  }
})
