/**
 * What each worker thread runs first: it takes its name, as `top -H` and `ps -L` show it, and then its module. Node gives a
 * worker's name to its inspector only, and another thread does not know which of the kernel's threads it is.
 */
import { writeFileSync } from 'node:fs'

const [name = '', module = ''] = process.argv.slice(2)
try {
  // The kernel keeps 15 octets (TASK_COMM_LEN less the final zero).
  writeFileSync('/proc/thread-self/comm', name)
} catch {
  // Without /proc, or with a read-only one, it works without a name.
}
// Written by way of the process's standard error, and not to its descriptor, so that the owner has it as a line of its log.
process.removeAllListeners('warning')
process.on('warning', ({ name: kind, message }) =>
  process.stderr.write(`Node.js: ${kind}: ${message}\n`),
)
await import(module)
