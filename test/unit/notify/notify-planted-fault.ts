/** Hangs or crashes the thread when a job says that word. */
import { parentPort } from 'node:worker_threads'
import type { ToNotifyWorker } from '../../../src/notify/messages.ts'

parentPort?.on('message', ({ job }: ToNotifyWorker) => {
  if (job.kind !== 'run' || job.program.kind !== 'argv') return
  if (job.program.argv.includes('crash')) throw new Error('planted fault')
  if (job.program.argv.includes('hang')) for (;;);
})
