/** A thread that uses everything that the addon gives to checks, as fast as it can, until it is ended. */
import { execPath } from 'node:process'
import { parentPort } from 'node:worker_threads'
import { bindings } from '../../src/addon/bindings.ts'
import { NotStarted, startProgram } from '../../src/programs/start.ts'

const loopback = Uint8Array.of(127, 0, 0, 1)
let programs = 0

function run(): void {
  programs += 1
  startProgram(
    { file: '/bin/true', args: [], output: null, runAs: null, noNewPrivs: false },
    () => {
      if (programs < 10_000) run()
    },
  )
}

const set = bindings().openDial((decided) => {
  for (let i = 0; i < decided.length; i += 2) bindings().hangUp(decided[i] ?? -1)
  dial()
})
function dial(): void {
  const socket = bindings().dial(set.fd, loopback, 1)
  if (socket < 0) setImmediate(dial)
}

try {
  startProgram(
    { file: `${execPath}.not`, args: [], output: null, runAs: null, noNewPrivs: false },
    () => undefined,
  )
} catch (error) {
  if (!(error instanceof NotStarted) || error.code !== 'ENOENT') throw error
}
try {
  bindings().openProcessNews(() => undefined)
  bindings().openEcho(4, () => undefined)
} catch {
  // Not on every system, and not for every user.
}
run()
dial()
parentPort?.postMessage('busy')
