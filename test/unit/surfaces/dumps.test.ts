/** The words of the dump files that a pair in a lab does not show, and what becomes of requests that meet trouble. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Dump, DumpInstance } from '../../../src/report/dump.ts'
import { dataText } from '../../../src/surfaces/dumps/data.ts'
import { Dumps } from '../../../src/surfaces/dumps/dumps.ts'
import { jsonText } from '../../../src/surfaces/dumps/json.ts'
import { addressText, instantText } from '../../../src/surfaces/dumps/words.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-dumps-'))
after(() => rmSync(directory, { recursive: true }))

const notify = {
  ...{ backup: null, master: null, fault: null, stop: null, deleted: null, any: null },
  masterRxLowerPri: null,
  mail: false,
  saysDeleted: false,
  priorityChanges: false,
}
const counts = {
  ...{ received: 5, sent: 6, becameMaster: 2, releasedMaster: 1, lengthErrors: 0, ttlErrors: 0 },
  ...{ typeErrors: 0, intervalErrors: 0, addressListErrors: 0, authTypeErrors: 0 },
  ...{ authMismatches: 0, authFailures: 0, zeroReceived: 0, zeroSent: 1 },
}
const instance: DumpInstance = {
  name: 'VI_1',
  version: 2,
  family: 4,
  group: null,
  state: 'MASTER',
  master: null,
  faults: 0,
  pending: 0,
  lastTransitionMs: 0,
  dueMs: null,
  masterDownUs: 3_609_375,
  interface: 'eth0',
  vmac: null,
  source: '10.0.0.1',
  sourceConfigured: false,
  garp: {
    delay: 5,
    repeat: 5,
    refresh: 0,
    refreshRepeat: 1,
    lowerPrioDelay: 5,
    lowerPrioRepeat: 5,
  },
  downTimerAdverts: 3,
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  vrid: 51,
  priority: 100,
  effectivePriority: 100,
  advertSeconds: 1,
  accept: true,
  preempt: true,
  preemptDelay: 0,
  strict: false,
  skipCheckAdvAddr: false,
  trackPrimary: true,
  promoteSecondaries: false,
  password: true,
  ah: false,
  addresses: [],
  excluded: [],
  transport: { kind: 'multicast', group: '224.0.0.18', ifindex: 2 },
  interfaces: [],
  scripts: [],
  files: [],
  processes: [],
  notify,
  counts,
}
const dump: Dump = {
  atMs: 0,
  routerId: 'lb1',
  dynamicInterfaces: false,
  fifoStatesOnReload: false,
  scriptSecurity: true,
  instances: [instance],
  groups: [],
  scripts: [],
  files: [],
  processes: [],
  interfaces: [],
  jsonVersion: 1,
}

const file = (name: string): string => readFileSync(join(directory, name), 'utf8')

test('addresses and instants', () => {
  const address = {
    ...{ address: '10.0.0.9', prefixLength: 24, broadcast: '10.0.0.255', interface: 'eth0' },
    ...{ scope: 'link', label: 'eth0:1', preferred: null, set: true },
  }
  assert.equal(
    addressText(address),
    '10.0.0.9/24 brd 10.0.0.255 dev eth0 scope link label eth0:1 set',
  )
  const bare = { ...address, prefixLength: null, broadcast: null, label: null, set: false }
  assert.equal(addressText({ ...bare, preferred: 0 }), '10.0.0.9 dev eth0 scope link deprecated')
  assert.match(addressText({ ...bare, preferred: 60 }), /preferred_lft 60$/)
  const at = new Date(2026, 10, 7, 3, 4, 5, 60).getTime()
  assert.match(instantText(at), /^\d+\.060000 \(Sat Nov {2}7 03:04:05\.060000 2026\)$/)
})

test('no password is told, in either form', () => {
  assert.match(dataText(dump), /^ {3}Password = \*{8}$/m)
  assert.match(jsonText(dump), /"auth_type":1,"auth_data":"\*{8}"/)
})

test('counts begin again after a clear, and an instance that is new counts from 0', async () => {
  const dumps = new Dumps()
  const write = async (kind: 'stats' | 'clear', sent: number) => {
    const now = { ...instance, counts: { ...counts, sent } }
    await dumps.write(kind, directory, async () => ({ ...dump, instances: [now] }))
    return Number(/Advertisements:\n.*\n {4}Sent: (\d+)/.exec(file('keepalived.stats'))?.[1])
  }
  assert.deepEqual(
    [
      await write('stats', 6),
      await write('clear', 7),
      await write('stats', 9),
      await write('stats', 3),
    ],
    [6, 7, 2, 3],
  )
})

test('requests that wait are bounded, and taken again when the first is through', async () => {
  const dumps = new Dumps()
  let go = (_: Dump): void => undefined
  const slow = new Promise<Dump>((resolve) => {
    go = resolve
  })
  const all = Array.from({ length: 12 }, () => dumps.write('json', directory, () => slow))
  const settled = Promise.allSettled(all)
  go(dump)
  const states = (await settled).map(({ status }) => status)
  assert.equal(states.filter((status) => status === 'fulfilled').length, 8)
  await dumps.write('json', directory, async () => dump)
  rmSync(join(directory, 'keepalived.json'))
})

test('a file of mode 0600 takes the place of a link; a refusal leaves nothing, and the next request is carried out', async () => {
  const dumps = new Dumps()
  symlinkSync('/etc/hostname', join(directory, 'keepalived.data'))
  const broken = dumps.write('data', join(directory, 'absent'), async () => dump)
  const refused = dumps.write('json', directory, () => Promise.reject(new Error('gone')))
  const good = dumps.write('data', directory, async () => dump)
  await assert.rejects(broken, /ENOENT/)
  await assert.rejects(refused, /gone/)
  assert.equal(await good, join(directory, 'keepalived.data'))
  const { mode } = statSync(join(directory, 'keepalived.data'))
  assert.equal(mode & 0o7777, 0o600)
  assert.deepEqual(readdirSync(directory).sort(), ['keepalived.data', 'keepalived.stats'])
  assert.match(file('keepalived.data'), /^------< Global definitions >------$/m)
})
