/** What is ordered of a daemon while it is looked at whether another process may take its place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { UpgradeRefused } from '../../../src/daemon/upgrade-first.ts'
import { Upgrades, type UpgradesPorts } from '../../../src/daemon/upgrades.ts'

const order = { file: '/usr/bin/node', args: ['vipd'], leaveParent: true }

/** `answer`: what the daemon says to it, in the end. */
function stage() {
  const started: string[] = []
  let answer: (why: string | null) => void = () => undefined
  const log: Log = { debug() {}, info() {}, warn() {}, error() {}, flush: async () => {} }
  const ports = {
    log,
    version: '1.0',
    parts: { record: { begin() {}, refused() {} } },
    successor: {
      whyNotLeave: () => null,
      program() {
        started.push('program')
        throw new Error('ENOENT')
      },
      held: { lock: '', name: '' },
    },
    whyNot: () =>
      new Promise<string | null>((resolve) => {
        answer = resolve
      }),
  } as unknown as UpgradesPorts
  const upgrades = new Upgrades(ports)
  const run = upgrades.run(order)
  return { upgrades, run, started, answer: (why: string | null) => answer(why) }
}

const refused = (why: RegExp) => (error: unknown) =>
  error instanceof UpgradeRefused && why.test(error.message)

test('a stop before there is another process: none is started any more', async () => {
  const it = stage()
  assert.equal(await it.upgrades.abort('the daemon is to stop'), true)
  it.answer(null)
  await assert.rejects(it.run, refused(/the daemon is to stop/))
  assert.deepEqual(it.started, [])
  const again = it.upgrades.run(order)
  it.answer(null)
  await assert.rejects(again, refused(/the daemon is to stop/))
  assert.deepEqual(it.started, [])
})

test('from the order on it is under way: a reload or a hand-over that begins now would be passed over', async () => {
  const it = stage()
  assert.equal(it.upgrades.busy, true)
  let decided = false
  const waits = it.upgrades.decided.then(() => {
    decided = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(decided, false)
  it.answer(null)
  await assert.rejects(it.run, refused(/cannot be started: ENOENT/))
  await waits
  assert.deepEqual([it.upgrades.busy, it.upgrades.succeededBy], [false, null])
  assert.deepEqual(it.started, ['program'])
})
