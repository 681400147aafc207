/**
 * The thread side of the notifier: starts programs and sends mail where neither a fork nor a library's
 * loading time can delay the main thread. It keeps no order; the queues on the other side do.
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { type OutputPipe, openPipes } from '../programs/output.ts'
import { runCommand } from '../programs/run.ts'
import { sendMail } from './mail.ts'
import type { FromNotifyWorker, Job, JobResult, ToNotifyWorker } from './messages.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort

/** Pipes that no program of ours writes to at the moment; a daemon it left behind may. */
const idlePipes: OutputPipe[] = []
const pipesAtOnce = 4

port.on('message', ({ id, job }: ToNotifyWorker) => {
  if (job.kind === 'run') run(id, job)
  else mail(id, job)
})

function run(id: number, { program, runAs, timeoutMs }: Job & { readonly kind: 'run' }): void {
  if (idlePipes.length === 0) idlePipes.push(...openPipes(pipesAtOnce))
  const output = idlePipes.pop() ?? null
  output?.clear()
  const { pid } = runCommand({
    program,
    runAs,
    timeoutMs,
    output,
    ended: (outcome) => end(id, { kind: 'run', outcome, output: output?.text() ?? '' }),
    gone: () => {
      if (output !== null) idlePipes.push(output)
    },
  })
  post({ kind: 'started', id, pid })
}

function mail(id: number, job: Job & { readonly kind: 'mail' }): void {
  post({ kind: 'started', id, pid: null })
  sendMail(job.mail, job.message).then(
    () => end(id, { kind: 'mail', failure: null }),
    (error: unknown) => end(id, { kind: 'mail', failure: String(error) }),
  )
}

const end = (id: number, result: JobResult): void => post({ kind: 'ended', id, result })
const post = (message: FromNotifyWorker): void => port.postMessage(message)
