/**
 * Logs each line of its input, for journal-stream.test.ts: to standard error, which is a stream to journald, whose sockets are in that directory. Repeats it
 * on standard output when it has been written, or could not be.
 */
import { createInterface } from 'node:readline'
import { openLog } from '../../../src/daemon/log.ts'

const log = openLog({ format: 'auto', level: 'info', journal: process.argv[2] ?? '' })
for await (const line of createInterface({ input: process.stdin })) {
  log.info(line)
  await log.flush()
  process.stdout.write(`${line}\n`)
}
