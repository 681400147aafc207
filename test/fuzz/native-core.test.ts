/**
 * The C++ fuzz targets for a moment, built with g++ under the sanitizers: the same random inputs each time. A long
 * run is `npm run fuzz`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The scripts and sources lie beside the TypeScript, not beside what it was compiled to. */
function fuzzScript(): string {
  for (const up of ['../..', '../../..']) {
    const file = fileURLToPath(new URL(`${up}/test/native/fuzz/run.sh`, import.meta.url))
    if (existsSync(file)) return file
  }
  return assert.fail('no test/native/fuzz/run.sh')
}

test('the core and the native decoders hold under random inputs and the sanitizers', () => {
  const env = { ...process.env, FUZZ_ENGINE: 'random', FUZZ_INPUTS: '600', SEED: '7' }
  // Most of it is the compiler's time, of which a busy machine has little.
  const options = { env, encoding: 'utf8', timeout: 360_000 } as const
  const { status, stdout, stderr } = spawnSync('sh', [fuzzScript(), '30'], options)
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  const targets = readdirSync(dirname(fuzzScript())).filter((name) => name.endsWith('_fuzz.cc'))
  assert.equal(stdout.match(/^600 inputs$/gm)?.length, targets.length, stdout)
})
