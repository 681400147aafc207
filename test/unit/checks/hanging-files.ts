/** A thread of files in which every path with `hang` in its name hangs until a flag is set, as on a dead file server. */
import { existsSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { FromFiles, ToFiles } from '../../../src/checks/local/files-thread.ts'

const sleeper = new Int32Array(new SharedArrayBuffer(4))

parentPort?.on('message', ({ id, question }: ToFiles) => {
  const { path } = question
  while (path.includes('hang') && !existsSync(`${path}.back`)) Atomics.wait(sleeper, 0, 0, 5)
  const seen = { ok: true, detail: path, value: 0 }
  parentPort?.postMessage({ kind: 'seen', id, seen } satisfies FromFiles)
})
