/** Node's own warnings, what threads print and an exception that nothing caught are lines of the log, as all others. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../../src/lab/wait.ts'

const child = fileURLToPath(new URL('./own-lines-child.js', import.meta.url))

for (const how of ['throw', 'reject'])
  test(`JSON: warnings, a thread’s output, and the end by an exception (${how})`, async () => {
    const run = spawn(process.execPath, [child], { stdio: ['pipe', 'inherit', 'pipe'] })
    let text = ''
    run.stderr.on('data', (part: Buffer) => {
      text += part.toString()
    })
    const ended = new Promise<number | null>((resolve) => run.once('close', resolve))
    for (const what of ['of the main thread', 'of a worker', 'printed'])
      await until(`${what} in ${text}`, 30_000, () => text.includes(what))
    run.stdin.write(how)
    assert.equal(await ended, 1)
    const lines = text.trimEnd().split('\n')
    const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      all.slice(-2).map((it) => [it['level'], it['msg']]),
      [
        ['info', 'the line before'],
        ['error', 'Ending: an exception that nothing caught: it broke'],
      ],
    )
    assert.match(String(all.at(-1)?.['stack']), /own-lines-child/)
  })
