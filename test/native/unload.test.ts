/** The addon and the threads of JavaScript that load it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

test('the addon stays mapped when the only thread that loaded it has ended: its own threads may live on', async () => {
  const load = JSON.stringify(new URL('../../src/addon/load.js', import.meta.url).href)
  const worker = new Worker(`import(${load}).then((it) => it.loadAddon())`, { eval: true })
  const [code] = (await once(worker, 'exit')) as [number]
  assert.equal(code, 0)
  assert.match(readFileSync('/proc/self/maps', 'utf8'), /\.node$/m)
})
