/** Signals for the process that has taken this one's place: they reach that process alone, and a stop lasts until it has ended. */
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { loadAddon } from '../../../src/addon/load.ts'
import type { Log } from '../../../src/base/log.ts'
import { passedOn } from '../../../src/cli/passed-on.ts'
import { Channel } from '../../../src/daemon/upgrade-channel.ts'
import type { ExchangeAddon } from '../../../src/engine/exchange.ts'

const addon = loadAddon() as Pick<
  ExchangeAddon,
  'socketPair' | 'closeDescriptor' | 'startSuccessor'
>

/** Says what it gets, as a message of a channel; ends at the second TERM. */
const program = `
import os, signal, time
def say(number, frame):
    text = b"%d" % number
    os.write(3, len(text).to_bytes(4, "big") + text)
    if number == signal.SIGTERM: signal.signal(signal.SIGTERM, signal.SIG_DFL)
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGRTMAX): signal.signal(number, say)
say(0, None)
while True: time.sleep(60)
`
const longMs = 60_000

test('a process that goes on gets them; its end is the end of a stop', async () => {
  const lines: string[] = []
  const note = (text: string) => void lines.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note, flush: async () => {} }
  const [near, far] = addon.socketPair()
  const pid = addon.startSuccessor(
    '/usr/bin/python3',
    ['python3', '-c', program],
    ['PATH=/usr/bin'],
    [far],
  )
  assert.ok(pid > 0)
  addon.closeDescriptor(far)
  const channel = new Channel<never, number>(near)
  const passed = passedOn(log)
  assert.equal(await channel.next(longMs), 0)
  const { SIGHUP, SIGTERM } = constants.signals
  const last = 64
  passed.signal(pid, 'SIGHUP', SIGHUP)
  assert.equal(await channel.next(longMs), SIGHUP)
  passed.signal(pid, 'SIGRTMAX', last)
  assert.equal(await channel.next(longMs), last)
  await passed.over()

  let over = false
  const stopped = passed.stop(pid).then(() => {
    over = true
  })
  assert.equal(await channel.next(longMs), SIGTERM)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(over, false)
  passed.signal(pid, 'SIGTERM', SIGTERM)
  await stopped
  await passed.over()
  assert.equal(channel.ended || (await channel.next(longMs)) === null, true)

  passed.signal(pid, 'SIGHUP', SIGHUP)
  passed.signal(process.pid, 'SIGTERM', SIGTERM)
  assert.deepEqual(lines, [
    `SIGHUP passed on to process ${pid}`,
    `SIGRTMAX passed on to process ${pid}`,
    `SIGTERM passed on to process ${pid}`,
    `SIGTERM passed on to process ${pid}`,
    `Process ${pid} has ended`,
    `SIGHUP is for process ${pid}, which has ended`,
    `SIGTERM is for process ${process.pid}, which has ended`,
  ])
})
