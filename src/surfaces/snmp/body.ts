/** The thread that speaks to the SNMP master agent. It knows what the daemon has told it. */
import { parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { SnmpAgent } from './agent.ts'
import type { ToSnmp } from './messages.ts'

assert(parentPort !== null, 'this module is the body of a worker thread')
const port = parentPort
const agent = new SnmpAgent((message) => port.postMessage(message))

port.on('message', (message: ToSnmp) => {
  if (message.kind === 'stop') void agent.close().then(() => process.exit())
  else agent.take(message)
})
