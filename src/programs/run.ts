/**
 * One run of a program: spawned without a shell unless the command names one, as leader of its own process
 * group, killed with that whole group at its deadline. The result is taken at the exit of the program
 * itself: a daemon that it leaves behind neither delays the result nor is touched.
 */
import type { Command, RunAs } from '../base/command.ts'
import type { Outcome } from './outcome.ts'
import { closeQuietly, type OutputPipe } from './output.ts'
import { type Ended, startProgram } from './start.ts'

export type Program = Extract<Command, { kind: 'argv' | 'shell' }>

export const isProgram = (command: Command): command is Program =>
  command.kind === 'argv' || command.kind === 'shell'

export type RunRequest = {
  readonly program: Program
  readonly runAs: RunAs | null
  /** null: no deadline. */
  readonly timeoutMs: number | null
  /** null: output is thrown away. */
  readonly output: OutputPipe | null
  /** Called once, at exit, at the deadline, or when it cannot be started; never during `runCommand`. */
  readonly ended: (outcome: Outcome) => void
  /** Called once, after `ended`, when the program no longer exists. */
  readonly gone: () => void
}

export type RunningCommand = {
  /** Also the process group; null when nothing was started. */
  readonly pid: number | null
  /** To the whole group. */
  signal(name: NodeJS.Signals): void
}

export function runCommand(request: RunRequest): RunningCommand {
  const finish = once(request)
  let pid: number
  try {
    pid = start(request, (ended) => exited(outcomeOf(ended)))
  } catch (error) {
    setImmediate(() => finish.gone(unable(request.program, error)))
    return { pid: null, signal: () => undefined }
  }
  const timer = request.timeoutMs === null ? null : setTimeout(atDeadline, request.timeoutMs)
  return { pid, signal: (name) => signalGroup(pid, name) }

  function exited(outcome: Outcome): void {
    if (timer !== null) clearTimeout(timer)
    finish.gone(outcome)
  }

  /** An exit may be waiting behind a late timer: the loop looks at its events once more before we judge. */
  function atDeadline(): void {
    setImmediate(() => {
      if (finish.isDone()) return
      signalGroup(pid, 'SIGKILL')
      finish.ended({ kind: 'timeout', afterMs: request.timeoutMs ?? 0 })
    })
  }
}

const outcomeOf = (ended: Ended): Outcome =>
  'signal' in ended
    ? { kind: 'signal', signal: ended.signal }
    : { kind: 'exit', status: ended.status }

function start({ program, runAs, output }: RunRequest, ended: (ended: Ended) => void): number {
  const [file = '', ...args] =
    program.kind === 'shell' ? [program.shell, '-c', program.text] : program.argv
  const sink = output === null ? null : openSink(output)
  try {
    return startProgram(
      { file, args, output: sink, runAs, noNewPrivs: program.noNewPrivs === true },
      ended,
    )
  } finally {
    if (sink !== null) closeQuietly(sink)
  }
}

function openSink(output: OutputPipe): number | null {
  try {
    return output.openWriteEnd()
  } catch {
    return null
  }
}

export function signalGroup(pid: number | null, name: NodeJS.Signals): void {
  if (pid === null) return
  try {
    process.kill(-pid, name)
  } catch {
    // The group ended by itself.
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file, or its interpreter is missing',
  EACCES: 'not executable, or permission denied',
  EPERM: 'operation not permitted (user or group cannot be set)',
  EINVAL: 'invalid (user or group cannot be set)',
  EAGAIN: 'out of processes',
  ENOMEM: 'out of memory',
  EMFILE: 'out of file descriptors',
  ENFILE: 'out of file descriptors',
  ENOTDIR: 'a part of its path is not a directory',
  ENOEXEC: 'not a program of this machine',
  ETXTBSY: 'it is being written to',
}

function unable(program: Program, error: unknown): Outcome {
  const name = program.kind === 'shell' ? program.shell : (program.argv[0] ?? '')
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return { kind: 'unable', why: `${name}: ${reasons[code] ?? code}` }
}

function once({ ended, gone }: RunRequest) {
  let told = false
  let left = false
  const tell = (outcome: Outcome) => {
    if (told) return
    told = true
    ended(outcome)
  }
  return {
    isDone: () => told,
    ended: tell,
    gone: (outcome: Outcome) => {
      if (left) return
      left = true
      tell(outcome)
      gone()
    },
  }
}
