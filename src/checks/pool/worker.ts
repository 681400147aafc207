/** The thread side of the check pool: messages in, a runner, messages out. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { SharedState, type ToWorker, type WorkerData } from './messages.ts'
import { Runner } from './runner.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const { shared } = workerData as WorkerData
const runner = new Runner((message) => port.postMessage(message), new SharedState(shared))

port.on('message', (message: ToWorker) => {
  if (message.kind === 'set') runner.set(message.checks)
  else if (message.kind === 'ping') runner.pong()
  else if (message.kind === 'push') runner.push(message.id, message.ok, message.message)
  else if (message.kind === 'now') runner.runNow(message.id)
  else void runner.stop().then(() => process.exit())
})
