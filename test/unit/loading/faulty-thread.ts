/** A configuration thread that misbehaves as the path says: hangs in a system call, eats memory, throws, ends. */
import { openSync } from 'node:fs'
import { parentPort, threadId } from 'node:worker_threads'
import type { FromThread, ToThread } from '../../../src/loading/thread.ts'

const say = (message: FromThread) => parentPort?.postMessage(message)

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'compare') {
    const hangs = message.seen.files.find(({ path }) => path.includes('fifo'))
    if (hangs !== undefined) openSync(hangs.path, 'r')
    say({ kind: 'compared', id: message.id, unchanged: true })
  } else if (message.kind === 'load') misbehave(message.request.path)
})

function misbehave(path: string): void {
  // Opening a FIFO that has no writer waits, and nothing but a writer ends that.
  if (path.includes('fifo')) openSync(path, 'r')
  else if (path.includes('memory')) {
    const all: number[][] = []
    for (;;) all.push(new Array<number>(10_000).fill(threadId))
  } else if (path.includes('throws')) throw new Error('planted')
  else if (path.includes('ends')) process.exit(0)
  else for (;;);
}
