/** The body of the thread that runs the startup or the shutdown script: starting a program waits for its file. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import type { Outcome } from '../programs/outcome.ts'
import { type RunRequest, runCommand } from '../programs/run.ts'

export type TimedRun = Pick<RunRequest, 'program' | 'runAs' | 'timeoutMs'>

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort

runCommand({
  ...(workerData as TimedRun),
  output: null,
  ended: (outcome: Outcome) => port.postMessage(outcome),
  gone: () => port.close(),
})
