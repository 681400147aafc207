/**
 * Runs a program once, on a thread of its own: execve waits for the file system that holds the program, and one that is
 * gone would hold whoever starts it, before the first advert or in the middle of a stop.
 */
import { Worker } from 'node:worker_threads'
import type { Outcome } from '../programs/outcome.ts'
import type { TimedRun } from './timed-program-thread.ts'

/** For the thread to load its code, and for the program to be killed at its time. */
const graceMs = 5_000

/** Resolves with what became of it, at the latest a few seconds after `timeoutMs`. Never rejects. */
export function runOnThread(
  run: TimedRun & { readonly timeoutMs: number },
  threadFile = new URL('./timed-program-thread.js', import.meta.url),
): Promise<Outcome> {
  const thread = new Worker(threadFile, {
    name: 'vipd-script',
    workerData: run,
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  })
  return new Promise((resolve) => {
    const end = (outcome: Outcome) => {
      clearTimeout(deadline)
      thread.unref()
      resolve(outcome)
    }
    const deadline = setTimeout(() => {
      void thread.terminate()
      end({ kind: 'timeout', afterMs: run.timeoutMs })
    }, run.timeoutMs + graceMs)
    thread.on('message', end)
    thread.on('error', (error) => end({ kind: 'unable', why: error.message }))
    thread.on('exit', () => end({ kind: 'unable', why: 'its thread has ended' }))
  })
}
