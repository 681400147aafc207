/**
 * A daemon in small, for programs.test.ts: starts one program with the identity it is told, whose output is this process's own,
 * and says how it ended.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { RunAs } from '../../src/base/command.ts'
import { adoptProgram, NotStarted, startProgram } from '../../src/programs/start.ts'

export type Inside = {
  readonly text: string
  readonly runAs: RunAs | null
  readonly noNewPrivs?: boolean
  /** Started by a worker thread, which is then ended; 'gone' is said when it no longer exists. */
  readonly fromWorker?: boolean
  /** Started by a worker thread that then waits for this FIFO in a system call; what it started is adopted. */
  readonly stuckAt?: string
}

/** Ids of threads, without those that last: of the event loops, and the one that starts programs. */
const threads = (): readonly string[] =>
  readdirSync('/proc/self/task').filter((id) => {
    try {
      const name = readFileSync(`/proc/self/task/${id}/comm`, 'utf8')
      return !/^(?:libuv-worker|vipd-programs)/.test(name)
    } catch {
      return false
    }
  })

function run({ text, runAs, noNewPrivs = false }: Inside): number {
  try {
    const program = { file: '/bin/sh', args: ['-c', text], output: 1, runAs, noNewPrivs }
    return startProgram(program, (ended) => process.stdout.write(`${JSON.stringify(ended)}\n`))
  } catch (error) {
    process.stdout.write(`${error instanceof NotStarted ? error.code : String(error)}\n`)
    return 0
  }
}

async function runStuck(inside: Inside): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: inside })
  const pid: number = await new Promise((resolve) => worker.once('message', resolve))
  adoptProgram(pid)
  process.stdout.write('gone\n')
  setInterval(() => undefined, 60_000)
}

async function runInWorker(inside: Inside): Promise<void> {
  const before = threads()
  const worker = new Worker(new URL(import.meta.url), { workerData: inside })
  await new Promise((resolve) => worker.once('message', resolve))
  const started = threads().filter((id) => !before.includes(id))
  await worker.terminate()
  while (threads().some((id) => started.includes(id)))
    await new Promise((resolve) => setTimeout(resolve, 10))
  process.stdout.write('gone\n')
  setInterval(() => undefined, 60_000)
}

if (!isMainThread) {
  const inside = workerData as Inside
  parentPort?.postMessage(run(inside))
  if (inside.stuckAt !== undefined) readFileSync(inside.stuckAt)
} else {
  const inside = JSON.parse(process.argv[2] ?? '') as Inside
  if (inside.stuckAt !== undefined) await runStuck(inside)
  else if (inside.fromWorker === true) await runInWorker(inside)
  else run(inside)
}
