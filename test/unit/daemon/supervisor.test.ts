/** What systemd is told of two processes that change places: as a listener in its place gets it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { Supervisor } from '../../../src/daemon/supervisor.ts'
import { Journal } from '../../../src/lab/wait.ts'

const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().split("\\n")[0], flush=True)
`
const longMs = 60_000
const log: Log = { debug() {}, info() {}, warn() {}, error() {}, flush: async () => {} }

/** `until`: waits for that line, and gives all since the last call; of pings in a row, one. */
async function listening(
  body: (
    supervisor: Supervisor,
    until: (last: string) => Promise<readonly string[]>,
  ) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vipd-supervisor-'))
  const path = join(directory, 'notify')
  const child = spawn('python3', ['-c', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = new Journal<string>()
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  await lines.next('it listens', longMs, (line) => line === 'listening', 0)
  const supervisor = new Supervisor({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000' }, log)
  let from = 1
  const until = async (last: string) => {
    await lines.next(last, longMs, (line) => line === last, from)
    const some = lines.items.slice(from)
    const end = some.indexOf(last) + 1
    from += end
    return some.slice(0, end).filter((line, i) => line !== some[i - 1])
  }
  try {
    await body(supervisor, until)
  } finally {
    child.kill()
    rmSync(directory, { recursive: true })
  }
}

test('the process that leaves says no more, unless it is told to stop: systemd may be waiting for its end', () =>
  listening(async (supervisor, until) => {
    supervisor.ready('1 instance')
    supervisor.mainProcess(5)
    assert.deepEqual(await until('MAINPID=5'), ['READY=1', 'WATCHDOG=1', 'MAINPID=5'])
    supervisor.reloading()
    supervisor.ready('1 instance')
    supervisor.stopping()
    assert.deepEqual(await until('WATCHDOG=1'), ['STOPPING=1', 'WATCHDOG=1'])
  }))

test('the process that is told to stop before it leaves goes on telling that it turns', () =>
  listening(async (supervisor, until) => {
    supervisor.ready('1 instance')
    supervisor.stopping()
    supervisor.mainProcess(5)
    assert.deepEqual(
      (await until('MAINPID=5')).filter((line) => line !== 'WATCHDOG=1'),
      ['READY=1', 'STOPPING=1', 'MAINPID=5'],
    )
    assert.deepEqual(await until('WATCHDOG=1'), ['WATCHDOG=1'])
  }))

test('the process that takes over tells that it turns before it is ready', () =>
  listening(async (supervisor, until) => {
    supervisor.took()
    assert.deepEqual(await until('WATCHDOG=1'), ['WATCHDOG=1'])
    supervisor.named()
    supervisor.ready('1 instance')
    assert.deepEqual(await until('READY=1'), ['WATCHDOG=1', 'READY=1'])
  }))
