/** What the unit promises: the statuses with which `vipd run` refuses a configuration end the restarts, and no others. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const rootAbove = (from: string): string =>
  existsSync(join(from, 'package.json')) ? from : rootAbove(dirname(from))
const root = rootAbove(dirname(fileURLToPath(import.meta.url)))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function setting(name: string): readonly string[] {
  const found = new RegExp(`^${name}=(.*)$`, 'm').exec(read('systemd/vipd.service'))
  return found?.[1]?.split(' ') ?? []
}

test('a configuration that cannot run is not tried again every second', () => {
  const run = /\| `vipd run` \| the daemon \| (.*) \|/.exec(read('README.md'))?.[1] ?? ''
  const statuses = /(\d) or (\d) the configuration cannot run/.exec(run)
  assert.deepEqual(setting('RestartPreventExitStatus'), statuses?.slice(1))
  assert.deepEqual(setting('Restart'), ['always'])
})

test('it starts after keepalived has stopped, and outlives a check that ran out of memory', () => {
  assert.ok(setting('After').includes('keepalived.service'))
  assert.deepEqual(setting('Conflicts'), ['keepalived.service'])
  assert.deepEqual(setting('OOMPolicy'), ['continue'])
})
