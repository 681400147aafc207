/**
 * This program a second time, in the background: a session of its own, no terminal. The one in
 * front waits until the other is ready or has ended, so that its exit status says whether there is a daemon.
 */
import { spawn } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const variable = 'VIPD_READY_FD'
/** Longer than any start takes that is not stuck in a file system. */
const startMs = 60_000

/** Starts `vipd WORDS` and resolves with the exit status of the program in front: 0 when the other is ready. */
export function inBackground(words: readonly string[]): Promise<number> {
  const program = fileURLToPath(new URL('run.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, ...words], {
    detached: true,
    env: { ...process.env, [variable]: '3' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const ready = child.stdio[3]
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(0), startMs)
    const done = (status: number): void => {
      clearTimeout(timer)
      child.unref()
      if (ready !== null && ready !== undefined) ready.destroy()
      resolve(status)
    }
    ready?.once('data', () => done(0))
    child.once('error', () => done(1))
    child.once('exit', (status) => done(status ?? 1))
  })
}

/** Is this the one in the background? */
export const isInBackground = (): boolean => process.env[variable] !== undefined

/** Tells the one in front, once; does nothing in a process that is not in the background. Scripts do not see the variable. */
export function tellReady(): void {
  const fd = Number(process.env[variable])
  if (!isInBackground() || !Number.isInteger(fd)) return
  delete process.env[variable]
  try {
    writeSync(fd, '\n')
    closeSync(fd)
  } catch {
    // It did not wait.
  }
}
