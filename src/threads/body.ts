/**
 * What each worker thread runs first: it takes its name, as `top -H` and `ps -L` show it, and then its module. Node gives a
 * worker's name to its inspector only, and another thread does not know which of the kernel's threads it is.
 */
import { writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const [name = '', module = '', yields = '0'] = process.argv.slice(2)
try {
  // The kernel keeps 15 octets (TASK_COMM_LEN less the final zero).
  writeFileSync('/proc/thread-self/comm', name)
} catch {
  // Without /proc, or with a read-only one, it works without a name.
}
if (Number(yields) > 0) {
  // Of this thread alone: the kernel takes process 0 for the calling thread (setpriority(2), C library/kernel differences).
  setPriority(Math.min(19, getPriority() + Number(yields)))
}
// Written by way of the process's standard error, and not to its descriptor, so that the owner has it as a line of its log.
process.removeAllListeners('warning')
process.on('warning', ({ name: kind, message }) =>
  process.stderr.write(`Node.js: ${kind}: ${message}\n`),
)
await import(module)
