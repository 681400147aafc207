/**
 * A process for log.test.ts: floods its log while its output is not read, measures what that did to the event loop and to
 * libuv's pool, then (told so on standard input) says a last line, and exits. Reports on standard output.
 */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openLog } from '../../../src/daemon/log.ts'

const log = openLog({ format: process.argv[2] === 'json' ? 'json' : 'text', level: 'info' })
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
for (let round = 0; round < 100; round++) {
  for (let i = 0; i < 100; i++) log.info(`line ${round}/${i} ${'x'.repeat(200)}`, { i })
  // A turn of the loop, whose delay is what is measured.
  await new Promise((resolve) => setTimeout(resolve, 1))
}
await Promise.all(Array.from({ length: 16 }, () => stat('/')))
console.log(JSON.stringify({ worstMs: delay.max / 1e6 }))
await once(process.stdin, 'data')
log.info('the last line')
await log.flush()
process.exit(0)
