/**
 * Runs a program once, on a thread of its own: execve waits for the file system that holds the program, and one that is
 * gone would hold its caller, before the first advert or in the middle of a stop.
 */
import type { Outcome } from '../programs/outcome.ts'
import { Thread } from './thread.ts'
import type { TimedRun } from './timed-program-thread.ts'

/** For the thread to load its code, and for the program to be killed at its time. */
const graceMs = 5_000

/** Resolves with what became of it, at the latest a few seconds after `timeoutMs`. Never rejects. */
export function runOnThread(
  run: TimedRun & { readonly timeoutMs: number },
  threadFile = new URL('./timed-program-thread.js', import.meta.url),
): Promise<Outcome> {
  return new Promise((resolve) => {
    const body = { file: threadFile, name: 'vipd-script', heapMegabytes: 32, data: run }
    const thread = new Thread<never, Outcome>(body, {
      onMessage: (outcome) => {
        // It goes when its program has gone: killing the thread would leave a zombie.
        thread.answered()
        resolve(outcome)
      },
      onLost: ({ kind, error, why }) =>
        resolve(
          kind === 'hung'
            ? { kind: 'timeout', afterMs: run.timeoutMs }
            : { kind: 'unable', why: error?.message ?? `its thread ${why}` },
        ),
    })
    thread.expect(run.timeoutMs + graceMs)
  })
}
