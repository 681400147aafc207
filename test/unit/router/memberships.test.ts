import assert from 'node:assert/strict'
import { endianness } from 'node:os'
import { test } from 'node:test'
import type { Family } from '../../../src/base/ip.ts'
import type { RejoinFailure } from '../../../src/engine/contract.ts'
import type { LinkId } from '../../../src/engine/order.ts'
import { until } from '../../../src/lab/wait.ts'
import {
  joinedGroups,
  type Membership,
  Memberships,
} from '../../../src/router/binding/memberships.ts'
import { ip } from './facts.ts'

const group4 = endianness() === 'LE' ? '120000E0' : 'E0000012'
const lists: Readonly<Record<Family, string>> = {
  4: `Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
12\teth0.100  :     2      V3
\t\t\t\t${group4}     2 0:00000000\t\t1
\t\t\t\t010000E0     1 0:00000000\t\t0
`,
  6: `1    lo              ff020000000000000000000000000001     1 0000000C 0
12   eth0.100        ff020000000000000000000000000012     1 00000004 0
`,
}

test('the kernel says which interface has joined which group', () => {
  const lo = endianness() === 'LE' ? 'e0000001' : '010000e0'
  assert.deepEqual([...joinedGroups(4, lists[4])], [`1 ${lo}`, '12 e0000012', `12 ${lo}`])
  assert.deepEqual(
    [...joinedGroups(6, lists[6])],
    ['1 ff020000000000000000000000000001', '12 ff020000000000000000000000000012'],
  )
  assert.deepEqual([...joinedGroups(4, '')], [])
})

const membership = (link: LinkId, family: Family, ifindex: number): Membership => ({
  link,
  family,
  ifindex,
  interface: `if${ifindex}`,
  group: family === 4 ? ip('224.0.0.18') : ip('ff02::12'),
})

function watch(open: readonly Membership[], answers: (readonly RejoinFailure[])[]) {
  const rejoined: (readonly LinkId[])[] = []
  const lines: string[] = []
  const quiet = () => undefined
  const watcher = new Memberships({
    engine: {
      rejoin: (links) => {
        rejoined.push(links)
        return Promise.resolve(answers.shift() ?? [])
      },
    },
    log: {
      debug: quiet,
      info: quiet,
      warn: (line) => void lines.push(line),
      error: (line) => void lines.push(line),
      flush: () => Promise.resolve(),
    },
    memberships: () => open,
    read: (family) => Promise.resolve(lists[family]),
  })
  return { watcher, rejoined, lines }
}

test('what the kernel does not list is joined again, and nothing else', async (t) => {
  const open = [membership(1, 4, 12), membership(2, 4, 13), membership(3, 6, 12)]
  const lost = membership(4, 6, 1)
  const { watcher, rejoined, lines } = watch([...open, lost], [])
  t.after(() => watcher.stop())
  watcher.look()
  await until('a look', 5_000, () => lines.length === 2)
  assert.deepEqual(rejoined, [[2, 4]])
  assert.deepEqual(lines, [
    'if13 had lost its membership of 224.0.0.18: joined again',
    'if1 had lost its membership of ff02::12: joined again',
  ])
  assert.deepEqual(watcher.warnings, [])
})

test('what cannot be joined again is tried again, said once, and is a warning until it works', async (t) => {
  const failure = { link: 2, call: 'setsockopt(IPV6_JOIN_GROUP)', code: 'ENODEV' }
  const { watcher, rejoined, lines } = watch([membership(2, 6, 13)], [[failure], [failure]])
  t.after(() => watcher.stop())
  watcher.look()
  await until('the first try', 5_000, () => lines.length === 1)
  assert.deepEqual(watcher.warnings, [
    'if13 receives nothing for ff02::12: the kernel dropped the membership (setsockopt(IPV6_JOIN_GROUP): ENODEV)',
  ])
  watcher.look()
  await until('the second try', 5_000, () => rejoined.length === 2)
  watcher.look()
  await until('the third try', 5_000, () => lines.length === 2)
  assert.match(lines[1] ?? '', /joined again/)
  assert.deepEqual(watcher.warnings, [])
})
