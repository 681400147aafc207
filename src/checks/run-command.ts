/**
 * One run of a program: spawned without a shell unless the command names one, as leader of its own process
 * group, killed with that whole group at its deadline. The result is taken at the exit of the program
 * itself: a daemon that it leaves behind neither delays the result nor is touched.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Command, RunAs } from '../base/command.ts'
import { closeQuietly, type OutputPipe } from './output.ts'
import type { Outcome } from './types.ts'

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
  let child: ChildProcess
  try {
    child = start(request)
  } catch (error) {
    setImmediate(() => finish.gone(unable(request.program, error)))
    return { pid: null, signal: () => undefined }
  }
  const pid = child.pid ?? null
  const timer = request.timeoutMs === null ? null : setTimeout(atDeadline, request.timeoutMs)
  child.on('error', (error) => exited(unable(request.program, error)))
  child.on('exit', (status, signal) =>
    exited(signal === null ? { kind: 'exit', status: status ?? 0 } : { kind: 'signal', signal }),
  )
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

function start({ program, runAs, output }: RunRequest): ChildProcess {
  const { file, args } = wrapped(program, runAs)
  const sink = output === null ? null : openSink(output)
  try {
    return spawn(file, args, {
      cwd: '/',
      env: scriptEnvironment(),
      detached: true,
      stdio: ['ignore', sink ?? 'ignore', sink ?? 'ignore'],
      ...(runAs === null || runAs.groups !== null ? {} : { uid: runAs.uid, gid: runAs.gid }),
    })
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

/** spawn can set uid and gid but no supplementary groups; setpriv(1) can. */
function wrapped(program: Program, runAs: RunAs | null): { file: string; args: string[] } {
  const argv =
    program.kind === 'shell' ? [program.shell, '-c', program.text] : Array.from(program.argv)
  const [file = '', ...args] = argv
  if (runAs === null || runAs.groups === null) return { file, args }
  const groups = runAs.groups.length === 0 ? '--clear-groups' : `--groups=${runAs.groups.join(',')}`
  const identity = [`--reuid=${runAs.uid}`, `--regid=${runAs.gid}`, groups]
  return { file: 'setpriv', args: [...identity, '--', ...argv] }
}

/** Inherited, minus what could change how a script is read or loaded. */
function scriptEnvironment(): NodeJS.ProcessEnv {
  const { IFS: _ifs, LD_PRELOAD: _preload, LD_LIBRARY_PATH: _library, ...rest } = process.env
  return rest
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
