/**
 * `vipd run`: the daemon in the foreground, from arguments to exit. Reads the configuration, which says where it lives;
 * claims that run directory (a second daemon there must not touch an address), then starts, then turns signals and
 * control requests into calls.
 */
import { useProcessors } from '../addon/surroundings.ts'
import { OpError, textOf } from '../base/errors.ts'
import type { Log, LogForm, LogLevel } from '../base/log.ts'
import { formatDiagnostic } from '../config/language/diagnostics.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { withRuleNumbers } from '../config/rule-numbers.ts'
import type { SnmpOverride } from '../config/snmp.ts'
import type { Globals, IdentityOptions } from '../config/types.ts'
import { type Control, NotYet, startControl } from '../control/server.ts'
import { formOf, type LogFormat, limitRepeats, openLog } from '../daemon/log.ts'
import { logOwnLines } from '../daemon/own-lines.ts'
import { endStaleWardens } from '../daemon/stale-wardens.ts'
import { requireConfig, startDaemon, succeedDaemon } from '../daemon/start.ts'
import { Supervisor } from '../daemon/supervisor.ts'
import { ConfigError, type Daemon } from '../daemon/types.ts'
import { Predecessor } from '../daemon/upgrade-second.ts'
import { exitNow, reapOrphans, surviveSignals } from '../engine/native.ts'
import { Loader } from '../loading/loader.ts'
import { handlersOf } from './control-handlers.ts'
import { controlInPlace } from './control-in-place.ts'
import { DumpRequests } from './dump-requests.ts'
import { dumpOnSignals } from './dump-signals.ts'
import { GroupSockets } from './group-sockets.ts'
import { historyDirectoryOf } from './history-directory.ts'
import { enterNamespace, noteNamespace } from './network-namespace.ts'
import { passedOn } from './passed-on.ts'
import { pidFilePath, socketPath } from './paths.ts'
import { removePidFile, writePidFile } from './pid-file.ts'
import { runDirectoryOf } from './run-directories.ts'
import { announceRunDirectory, claimRunDirectory, inheritRunDirectory } from './run-directory.ts'
import { Running } from './running.ts'
import { onSignals } from './signals.ts'
import { stopOf } from './stopping.ts'
import { successorOf } from './successor.ts'
import { DaemonSurfaces } from './surfaces.ts'

export type ServeOptions = {
  readonly configPath: string
  readonly language: LanguageOptions
  readonly workers: number
  readonly version: string
  /** null: as the configuration has it. */
  readonly runDir: string | null
  /** The network namespace that the process has entered already; null: none, or the configuration's. */
  readonly namespace: string | null
  /** Of the command line; null: as the configuration has it. */
  readonly umask: number | null
  readonly snmp: SnmpOverride
  /** For ps and pidof, unless the configuration has another. */
  readonly processName: string
  /** Of the lines that the warden writes to standard error. */
  readonly logForm: LogForm
}

/** What another name of the program does beside it. */
export type Hooks = {
  /** Its parent does not wait for its end. */
  readonly detached: boolean
  /** Which daemon of this host it is; answers with its run directory. `alone`: no other may run; may end the process. */
  identified(identity: IdentityOptions, alone: boolean): Promise<string>
  /** The run directory is this process's; throws what prevents a start. */
  claimed(runDir: string): void
  /** The daemon runs. */
  ready(daemon: Daemon): void
  /** Nothing runs any more. */
  stopped(): void
  /** Of what prevented the start. */
  exitStatus(error: unknown): number
}

/** Refused at start for a reason that is not the configuration's. */
const exitFatal = 1
/** `vipd check`'s words for it: a keyword lacks its operand, or anything else that prevents a start. */
const exitOperand = 2
const exitCannotRun = 4
/** The same complaint about the control socket at most this often. */
const controlLogMs = 10_000
/** As PID 1 of a container it gets the orphans of all its programs. */
const orphansMs = 1_000

/** Returns once the daemon runs; the process then ends through a signal or `stop`. */
export const runDaemon = (
  options: Omit<ServeOptions, 'logForm' | 'namespace' | 'umask' | 'snmp' | 'processName'> & {
    readonly logFormat: LogFormat
    readonly logLevel: LogLevel
  },
): Promise<void> => {
  const log = openLog({ format: options.logFormat, level: options.logLevel })
  let pidFile: string | null = null
  return serve(
    {
      ...options,
      namespace: null,
      umask: null,
      snmp: { all: false, socket: null },
      processName: 'vipd',
      logForm: formOf(options.logFormat),
    },
    log,
    {
      detached: false,
      identified: async (identity) => runDirectoryOf(identity),
      claimed(runDir) {
        pidFile = pidFilePath(runDir)
        // It is for others: without it the daemon works.
        const why = tryTo(pidFile, writePidFile)
        if (why !== null) log.warn(`No pid file: ${why}`)
      },
      ready() {},
      stopped() {
        if (pidFile !== null) removePidFile(pidFile)
      },
      exitStatus: statusOf,
    },
  )
}

function tryTo(path: string, act: (path: string) => void): string | null {
  try {
    act(path)
    return null
  } catch (error) {
    return textOf(error)
  }
}

/** The same with another log. */
export async function serve(options: ServeOptions, log: Log, hooks: Hooks): Promise<void> {
  logOwnLines(log, () => exitNow(exitFatal))
  const predecessor = Predecessor.inherited(process.env)
  try {
    const started = start(options, log, hooks, predecessor)
    await (predecessor === null ? started : Promise.race([started, predecessor.gone]))
  } catch (error) {
    refuse(error, log)
    if (predecessor === null) hooks.stopped()
    await Promise.all([log.flush(), predecessor?.refuse(whyRefused(error))])
    exitNow(hooks.exitStatus(error))
  }
}

async function start(
  options: ServeOptions,
  log: Log,
  hooks: Hooks,
  predecessor: Predecessor | null,
): Promise<void> {
  // Before the first line: the journal notes by which name it came. The configuration may give another.
  process.title = options.processName
  log.info(`Starting vipd ${options.version}`, { config: options.configPath })
  surviveSignals()
  if (process.pid === 1) setInterval(reapOrphans, orphansMs).unref()
  const supervisor = new Supervisor(process.env, log)
  const running = new Running(log)
  const daemon = () => {
    if (running.daemon === null) throw new NotYet('the daemon is still starting')
    return running.daemon
  }
  const ready = () => supervisor.ready(daemon().summary())
  const reload = oneAtATime(async (force: boolean) => {
    supervisor.reloading()
    return await daemon().reload(force).finally(ready)
  })
  // Known before there is a daemon that asks.
  let historyDirectory = (_: string | null): string | null => null
  const dumps = new DumpRequests(() => running.daemon)
  const surfaces = new DaemonSurfaces({
    ...{ log, daemon, reload, snmp: options.snmp },
    running: () => running.daemon,
    dump: (kind) => dumps.write(kind),
    historyDirectory: (configured) => historyDirectory(configured),
  })
  let control: Control | null = null
  const passed = passedOn(log)
  const stop = stopOf({
    ...{ log, supervisor, running, surfaces, passed },
    control: () => control,
    stopped: hooks.stopped,
  })
  onSignals({ log, running, passed, stop, reload })
  dumpOnSignals({ dumps, log, running, passed })
  const { loader, loaded, config, runDir } = await prepare(options, log, hooks, predecessor)
  historyDirectory = (configured) => historyDirectoryOf(runDir, configured)
  const { successor, left } = successorOf({
    ...{ log, supervisor, surfaces, runDir, passed },
    unwatched: predecessor !== null || supervisor.listens || hooks.detached,
    control: () => control,
  })
  const asked = {
    handlers: handlersOf({ daemon, reload, left, stop, surfaces }),
    log: limitRepeats(log, controlLogMs),
  }
  const settings = { ...options, runDir, log, loader, surfaces, successor }
  surfaces.openTo(new GroupSockets({ ...asked, runDir }))
  if (predecessor !== null) {
    void predecessor.taken.then(() => supervisor.took())
    const adopted = await running.become(succeedDaemon(settings, loaded, config, predecessor))
    supervisor.named()
    // Whatever fails from here on is no reason to give up what this process leads.
    const why = tryTo(runDir, hooks.claimed)
    if (why !== null) log.error(why)
    control = await controlInPlace({ ...asked, path: socketPath(runDir) }, log)
    await predecessor.serving()
    ready()
    return hooks.ready(adopted)
  }
  control = await startControl({ ...asked, path: socketPath(runDir) })
  const { close } = control
  const started = await running
    .become(startDaemon(settings, loaded, config))
    .catch(async (error) => {
      await close()
      throw error
    })
  ready()
  hooks.ready(started)
}

/** Reads the configuration, enters its network namespace and claims its run directory: nothing else is opened before. */
async function prepare(
  options: ServeOptions,
  log: Log,
  hooks: Hooks,
  predecessor: Predecessor | null,
) {
  const claim = predecessor === null ? claimRunDirectory : () => undefined
  const before = await predecessor?.meet()
  if (options.runDir !== null) claim(options.runDir)
  const loader = new Loader({ path: options.configPath, language: options.language })
  if (options.namespace !== null) loader.entered(options.namespace)
  const loaded = await loader.load()
  const config = withRuleNumbers(before?.rules ?? [], requireConfig(loaded, log))
  beProcess(options, config.globals, log)
  const namespace = options.namespace ?? config.globals.netNamespace
  if (options.namespace === null && namespace !== null) enterNamespace(namespace)
  const identity = { ...config.globals, netNamespace: namespace }
  const runDir = options.runDir ?? (await hooks.identified(identity, predecessor === null))
  log.info(`Run directory ${runDir}`, namespace === null ? {} : { namespace })
  if (namespace !== null) loader.entered(namespace)
  if (predecessor !== null) {
    inheritRunDirectory(runDir)
    return { loader, loaded, config, runDir }
  }
  if (options.runDir === null) claim(runDir)
  announceRunDirectory(runDir)
  noteNamespace(runDir, namespace)
  hooks.claimed(runDir)
  await endStaleWardens(runDir, log)
  return { loader, loaded, config, runDir }
}

/** Its name, umask and processors, before a thread or a program is started. */
function beProcess(options: ServeOptions, globals: Globals, log: Log): void {
  const { vrrpProcessName, processName, processors } = globals
  // pidof looks at the first argument, pgrep at the name: this sets both, at the price of the other arguments in ps.
  process.title = vrrpProcessName ?? processName ?? options.processName
  const umask = options.umask ?? globals.umask
  if (umask !== null) process.umask(umask)
  const code = processors === null ? null : useProcessors(processors)
  if (code !== null) log.warn(`vrrp_cpu_affinity is not possible: ${code}`)
}

/** Calls queue up; each sees the file as it is when its turn comes. */
function oneAtATime<A, T>(act: (argument: A) => Promise<T>): (argument: A) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (argument) => {
    const mine = last.then(() => act(argument))
    last = mine.catch(() => {})
    return mine
  }
}

/** For the process that this one was to succeed: in one sentence. */
function whyRefused(error: unknown): string {
  if (!(error instanceof ConfigError)) return textOf(error)
  const [first] = error.diagnostics
  return first === undefined ? 'the configuration cannot run' : formatDiagnostic(first)
}

/** Why there is no daemon; the daemon itself has logged the diagnostics. */
function refuse(error: unknown, log: Log): void {
  if (error instanceof ConfigError) return log.error('The configuration cannot run')
  const outside = error instanceof OpError || (error instanceof Error && 'syscall' in error)
  const bug = error instanceof Error && !outside
  log.error(textOf(error), bug ? { stack: error.stack } : {})
  if (error instanceof OpError && error.code === 'EPERM')
    log.error('vipd needs root, or the capabilities NET_ADMIN and NET_RAW')
}

function statusOf(error: unknown): number {
  if (!(error instanceof ConfigError)) return exitFatal
  return error.diagnostics.some((d) => d.verdict === 'operand') ? exitOperand : exitCannotRun
}
