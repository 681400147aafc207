/** Loaded into a daemon of a bench (NODE_OPTIONS=--import=…): its main thread stands still for 2 s out of every 4. */
import { isMainThread } from 'node:worker_threads'

const everyMs = 4_000
const stillMs = 2_000

if (isMainThread)
  setInterval(
    () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stillMs),
    everyMs,
  ).unref()
