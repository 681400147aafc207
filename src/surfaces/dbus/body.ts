/** The thread that is on the bus. It knows what the daemon has told it, and asks for what is to be done. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import type { ToDbus } from './messages.ts'
import { DbusService } from './service.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const service = new DbusService((message) => port.postMessage(message))

port.on('message', (message: ToDbus) => {
  if (message.kind === 'stop') void service.close(message.stopping).then(() => process.exit())
  else service.take(message)
})
