/** Statuses on their way to a surface's thread: when they are made, in which parts, and what a transition meanwhile does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Status, StatusInstance } from '../../../src/report/status.ts'
import { Snapshots } from '../../../src/surfaces/feed/snapshots.ts'
import { StatusFeed, type StatusPart } from '../../../src/surfaces/feed/status-feed.ts'
import { aStatus } from '../cli/a-status.ts'

const [instance] = aStatus.instances
const { instances: _all, ...rest } = aStatus

const turned = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a transition between two parts of a status is not undone by the end of it', () => {
  assert.ok(instance !== undefined)
  const snapshots = new Snapshots(() => undefined)
  const before = { ...instance, name: 'VI_1', state: 'BACKUP' } as const
  snapshots.take({ kind: 'instances', number: 1, some: [before] })
  const at = '2026-11-28T06:00:00.000Z'
  const entry = {
    at,
    from: 'BACKUP',
    to: 'MASTER',
    why: 'no master heard',
    cause: 'timeout',
  } as const
  snapshots.apply({ instance: 'VI_1', ...entry })
  assert.equal(snapshots.take({ kind: 'status', number: 1, rest }), true)
  const known = snapshots.last?.status.instances[0]
  assert.deepEqual([known?.state, known?.why], ['MASTER', 'no master heard'])
})

test('a status that another one overtakes is never completed with its instances', () => {
  assert.ok(instance !== undefined)
  const snapshots = new Snapshots(() => undefined)
  snapshots.take({ kind: 'instances', number: 1, some: [{ ...instance, name: 'gone' }] })
  snapshots.take({ kind: 'instances', number: 2, some: [{ ...instance, name: 'there' }] })
  snapshots.take({ kind: 'status', number: 2, rest })
  assert.deepEqual(
    snapshots.last?.status.instances.map(({ name }) => name),
    ['there'],
  )
})

test('however often one is wanted while one is made, one more is made, a second later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const parts: StatusPart[] = []
  let made = 0
  const status = async (part: (some: readonly StatusInstance[]) => void): Promise<Status> => {
    made += 1
    part(aStatus.instances)
    await turned()
    return aStatus
  }
  const feed = new StatusFeed({ status, post: (part) => parts.push(part) })
  feed.want()
  t.mock.timers.tick(0)
  for (let i = 0; i < 3; i += 1) feed.want()
  await turned()
  await turned()
  assert.deepEqual([made, parts.map(({ kind }) => kind)], [1, ['instances', 'status']])
  t.mock.timers.tick(1_000)
  await turned()
  await turned()
  assert.equal(made, 2)
  assert.deepEqual([...new Set(parts.map(({ number }) => number))], [1, 2])
  feed.stop()
})

test('a status that was asked for and does not come is silence; one that nothing asked for is none', async (t) => {
  t.mock.method(performance, 'now', () => nowMs)
  let nowMs = 0
  const snapshots = new Snapshots(() => undefined)
  nowMs += 60_000
  assert.equal(snapshots.isSilent, false)
  snapshots.want()
  nowMs += 3_000
  assert.equal(snapshots.isSilent, true)
  snapshots.take({ kind: 'status', number: 1, rest })
  nowMs += 60_000
  assert.equal(snapshots.isSilent, false)
})

test('what keeps a status from being made is passed on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const parts: StatusPart[] = []
  const status = () => Promise.reject(new Error('the daemon is still starting'))
  const feed = new StatusFeed({ status, post: (part) => parts.push(part) })
  feed.want()
  t.mock.timers.tick(0)
  await turned()
  assert.deepEqual(parts, [{ kind: 'no-status', number: 1, why: 'the daemon is still starting' }])
})

test('an instance that is stopped has the state that a status would tell', () => {
  assert.ok(instance !== undefined)
  const snapshots = new Snapshots(() => undefined)
  const before = { ...instance, name: 'VI_1', state: 'MASTER' } as const
  snapshots.take({ kind: 'instances', number: 1, some: [before] })
  snapshots.take({ kind: 'status', number: 1, rest })
  const at = '2026-11-28T06:00:00.000Z'
  const entry = { at, from: 'MASTER', to: 'STOPPED', why: 'stopped', cause: 'stop' } as const
  snapshots.apply({ instance: 'VI_1', ...entry })
  assert.equal(snapshots.last?.status.instances[0]?.state, 'STOP')
})
