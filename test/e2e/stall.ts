/** Loaded into a daemon under test (NODE_OPTIONS=--import=…): SIGUSR2 makes its main thread stand still for a while. */
import { isMainThread } from 'node:worker_threads'

const spanMs = Number(process.env['VIPD_TEST_STALL_MS'])

if (isMainThread)
  process.on('SIGUSR2', () => {
    process.stderr.write('stall begins\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, spanMs)
    process.stderr.write('stall is over\n')
  })
