/** The thread that answers HTTP. It knows what the daemon has told it, and asks for what is to be done. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import type { ToHttp } from './messages.ts'
import { HttpService } from './service.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const service = new HttpService((message) => port.postMessage(message))

port.on('message', (message: ToHttp) => {
  if (message.kind === 'stop') void service.close().then(() => process.exit())
  else service.take(message)
})
