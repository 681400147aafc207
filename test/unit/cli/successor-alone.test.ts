/**
 * A process that was started to take the place of another, which dies while this one still starts: it ends at once, whatever
 * it waits for. Until then it has the lock of the run directory, and another daemon is refused.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { loadAddon } from '../../../src/addon/load.ts'
import { Channel } from '../../../src/daemon/upgrade-channel.ts'
import {
  exchangeProtocol,
  type FromFirst,
  type FromSecond,
} from '../../../src/daemon/upgrade-messages.ts'
import { successionVariable } from '../../../src/daemon/upgrade-second.ts'
import type { ExchangeHandle } from '../../../src/engine/succession-contract.ts'
import { program } from '../../../src/lab/program.ts'

const addon = loadAddon() as {
  makeExchange(): ExchangeHandle
  exchangeDescriptors(exchange: ExchangeHandle): readonly [number, number, number]
  socketPair(): readonly [number, number]
  closeDescriptor(fd: number): number
}

/** As on a file system that hangs: what reads the configuration never answers. */
const hanging = `
import threads from 'node:worker_threads'
import { syncBuiltinESMExports } from 'node:module'
threads.Worker = class extends threads.Worker {
  constructor(_, options) {
    super('setInterval(() => undefined, 1e6)', { ...options, eval: true })
    console.log('it is read')
  }
}
syncBuiltinESMExports()
`

test('it ends as soon as the other one has, also while its configuration is still being read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vipd-alone-'))
  const preload = join(directory, 'hanging.mjs')
  const config = join(directory, 'vipd.conf')
  writeFileSync(preload, hanging)
  writeFileSync(config, '')
  const exchange = addon.makeExchange()
  const [near, far] = addon.socketPair()
  const first = new Channel<FromFirst, FromSecond>(near)
  const child = spawn(
    process.execPath,
    ['--import', preload, program('../cli/run.js'), 'run', '-f', config, '--run-dir', directory],
    {
      // The channel, lock, name, memory, what wakes either, and where sockets come.
      stdio: [
        ...(['ignore', 'pipe', 'pipe', far, 'ignore', 'ignore'] as const),
        ...addon.exchangeDescriptors(exchange),
        'ignore',
      ],
      env: { ...process.env, [successionVariable]: '1' },
    },
  )
  addon.closeDescriptor(far)
  const lines: string[] = []
  const ended = once(child, 'close')
  const { stdout, stderr } = child
  assert.ok(stdout !== null && stderr !== null)
  const reads = new Promise<void>((resolve, reject) => {
    for (const input of [stdout, stderr])
      createInterface({ input }).on('line', (line) => {
        lines.push(line)
        if (line === 'it is read') resolve()
      })
    ended.then(() => reject(new Error(lines.join('\n'))))
  })
  void first.send({
    ...{ kind: 'hello', protocol: exchangeProtocol, version: '1.0', pid: process.pid },
    ...{ known: { recorded: [] } as never, delays: [], rules: [] },
  })
  await reads
  first.close()
  const [status] = await ended
  const text = lines.join('\n')
  assert.match(text, /the process to be succeeded has gone/)
  assert.equal(status, 1)
  rmSync(directory, { recursive: true })
})
