/** The schema of the status, and a status held against it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { statusSchema } from '../../../src/report/schema.ts'
import { aStatus } from '../cli/a-status.ts'
import { ask } from './http-client.ts'
import { serving } from './http-daemon.ts'
import { faultsIn } from './schema-check.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-schema-'))
after(() => rmSync(dir, { recursive: true }))
const asJson = JSON.parse(JSON.stringify(aStatus)) as Readonly<Record<string, unknown>>

test('the status with one of everything is as the schema that is served says', async () => {
  const path = join(dir, 'http.sock')
  const listener = {
    address: { kind: 'unix', path, mode: 0o600, gid: null } as const,
    ...{ readToken: null, actionToken: null, tls: null, names: [] },
  }
  await serving([listener], async () => {
    const schema = JSON.parse((await ask(path, '/api/v1/schema.json')).body)
    const status = JSON.parse((await ask(path, '/api/v1/status')).body)
    assert.deepEqual(faultsIn(status, schema, schema), [])
  })
})

test('a field that is missing, new or of another type is a fault', () => {
  const faults = (value: unknown) => faultsIn(value, statusSchema, statusSchema)
  for (const name of Object.keys(asJson)) {
    const { [name]: _gone, ...less } = asJson
    assert.deepEqual(faults(less), [`.${name}: missing`])
    assert.notDeepEqual(faults({ ...asJson, [name]: { other: [] } }), [])
  }
  assert.deepEqual(faults({ ...asJson, more: 1 }), ['.more: not in the schema'])
  const [first, ...rest] = asJson['instances'] as readonly object[]
  const wrong = (change: object) =>
    faults({ ...asJson, instances: [{ ...first, ...change }, ...rest] })
  assert.deepEqual(wrong({ vrid: 256 }), ['.instances[0].vrid: 256 is out of range'])
  assert.deepEqual(wrong({ state: 'LEADER' }), ['.instances[0].state: "LEADER" is none of them'])
})
