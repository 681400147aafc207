/** Recorded before it may be ordered; a record that cannot be written holds up a claim once. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Errands } from '../../../src/kernel/errands.ts'
import { decodeRecord, type OwnedObject } from '../../../src/kernel/marks.ts'
import { Ownership } from '../../../src/kernel/record.ts'
import { ip } from '../router/facts.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-owned-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const owned = (last: number): OwnedObject => ({
  kind: 'address',
  interface: 'eth0',
  ifindex: 2,
  address: ip(`10.0.0.${last}`),
  prefixLength: 24,
  peer: null,
})

function opened(runDir: string) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const log = { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
  const ownership = new Ownership({ runDir, log, errands: new Errands() })
  const held = new Set<string>()
  const recorded = () =>
    new Promise<void>((resolve) => {
      ownership.attach({
        holds: (it) => it.kind === 'address' && held.has(it.address),
        onRecorded: resolve,
      })
    })
  return { ownership, lines, held, recorded }
}

const named = (runDir: string): readonly string[] => {
  const read = decodeRecord(readFileSync(join(runDir, 'owned.json'), 'utf8'))
  assert(read.kind === 'record')
  return read.record.objects.flatMap((it) => (it.kind === 'address' ? [it.address] : []))
}

test('a claim waits for the record, and what is still there stays in it', async () => {
  const { ownership, held, recorded } = opened(directory)
  const first = recorded()
  assert.equal(ownership.claim(1, [owned(1)]), false)
  assert.equal(ownership.claim(2, [owned(2)]), false)
  await first
  assert.deepEqual(named(directory), ['10.0.0.1', '10.0.0.2'])
  assert.equal(ownership.claim(1, [owned(1)]), true)
  held.add('10.0.0.1')
  ownership.claim(2, [])
  await ownership.record(1, [owned(3)])
  assert.deepEqual(named(directory), ['10.0.0.1', '10.0.0.3'])
  held.clear()
  await ownership.close()
  assert.throws(() => named(directory), { code: 'ENOENT' })
})

test('where it cannot be written: held up once, said once, and status says so', async () => {
  const { ownership, lines, recorded } = opened(join(directory, 'missing'))
  const tried = recorded()
  assert.equal(ownership.claim(1, [owned(1)]), false)
  await tried
  assert.equal(ownership.claim(1, [owned(1)]), true)
  assert.equal(ownership.claim(2, [owned(2)]), true)
  await ownership.record(3, [owned(3)])
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /cannot be recorded in .*: .*ENOENT/)
  assert.match(ownership.warnings.join(), /is not recorded/)
  await ownership.close()
})
