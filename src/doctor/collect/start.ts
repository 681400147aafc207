/** Starts the collector and takes what it has said when its time is over. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, Request } from './protocol.ts'

export type Collected = {
  readonly answers: readonly Answer[]
  /** Why the rest is missing; null: there is none. */
  readonly failure: string | null
}

const child = fileURLToPath(new URL('./child.js', import.meta.url))
const outputMax = 32 << 20

/** Never waits longer than `withinMs`, whatever hangs below. */
export function startCollector(request: Request, withinMs: number): Promise<Collected> {
  return new Promise((resolve) => {
    const running = spawn(process.execPath, [child, JSON.stringify(request)], {
      // A group of its own: it is killed with the program that it waits for.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { pid } = running
    let output = ''
    let errors = ''
    const done = (failure: string | null) => {
      clearTimeout(timer)
      killGroup(pid)
      running.stdout.destroy()
      running.stderr.destroy()
      running.unref()
      resolve({ answers: answersIn(output), failure })
    }
    const timer = setTimeout(() => done(`not answered within ${withinMs / 1_000} s`), withinMs)
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < outputMax) output += text
    })
    running.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-4_096)
    })
    running.once('error', (error) => done(error.message))
    running.once('close', (status) => done(status === 0 ? null : reason(errors, status)))
  })
}

const reason = (errors: string, status: number | null): string =>
  /^\w*Error.*$/m.exec(errors)?.[0] ?? `the collector ended with ${status}`

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** The last line may be cut. */
function answersIn(output: string): readonly Answer[] {
  return output.split('\n').flatMap((line): Answer[] => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Answer]
    } catch {
      return []
    }
  })
}
