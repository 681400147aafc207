/** The daemon in keepalived's place: its log, its pid files, its exit statuses; the rest is `vipd run`. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { allowCores, enterNetwork, namespacePath } from '../addon/surroundings.ts'
import { OpError } from '../base/errors.ts'
import type { Log, LogFields, LogLevel } from '../base/log.ts'
import type { IdentityOptions } from '../config/types.ts'
import { openLog } from '../daemon/log.ts'
import { openSyslog } from '../daemon/syslog.ts'
import { ConfigError, type Daemon } from '../daemon/types.ts'
import { exitNow } from '../engine/native.ts'
import { dataText } from '../surfaces/dumps/data.ts'
import { isInBackground, tellReady } from './background.ts'
import type { KeepalivedOptions } from './keepalived-options.ts'
import { defaultRunDir, packageVersion } from './paths.ts'
import {
  givenPidFiles,
  livingDaemon,
  type PidFiles,
  pidFiles,
  removePidFile,
  writePidFile,
} from './pid-file.ts'
import { serve } from './run-daemon.ts'

/** keepalived's: of a configuration with nothing to run, of a missing permission, of anything else. */
const exits = { running: 0, fatal: 1, config: 2, permission: 4 } as const

type Options = KeepalivedOptions & { readonly file: string }

/** Returns once the daemon runs, or ends the process. `words`: as they were typed, for the log. */
export async function keepalivedRun(options: Options, words: readonly string[]): Promise<void> {
  let files: PidFiles | null = null
  const given = givenPidFiles(options)
  // pidof and killall find it by this name.
  process.title = 'keepalived'
  const inBackground = isInBackground()
  if (inBackground) process.chdir('/')
  let ident = syslogIdent({ netNamespace: options.namespace, instanceName: null })
  const log = openLogs(options, () => ident)
  const typed = ['keepalived', ...words].map((word) => `'${word}'`).join(' ')
  log.info(`Command line: ${typed}`)
  for (const note of options.notes) log.warn(note)
  const refused = prepare(options, log)
  if (refused !== null) return await end(log, exits.fatal, refused)
  await serve(
    {
      configPath: options.file,
      language: { configId: options.configId, includeAll: options.includeAll },
      runDir: null,
      namespace: options.namespace,
      umask: options.umask,
      snmp: options.snmp,
      processName: 'keepalived',
      workers: 1,
      logForm: 'text',
      version: packageVersion(),
    },
    log,
    {
      detached: inBackground,
      identified: async (identity, alone) => {
        files = pidFiles(given, identity)
        ident = syslogIdent(identity)
        if (alone && livingDaemon(files.main) !== null)
          await end(log, exits.running, 'daemon is already running')
        return runDirectory(options, identity, files.main)
      },
      claimed: () => {
        if (files !== null) for (const path of [files.main, files.vrrp]) writePidFile(path)
      },
      ready: (daemon) => {
        tellReady()
        if (options.dumpConfiguration) void dumpToLog(daemon, log)
      },
      stopped: () => {
        if (files !== null) for (const path of [files.main, files.vrrp]) removePidFile(path)
      },
      exitStatus,
    },
  )
}

/**
 * Several on one host are told apart by their pid files, so each of those has a run directory: the usual one belongs to
 * the usual pid file.
 */
function runDirectory(
  { pidFile }: Options,
  { netNamespace: namespace, instanceName, pidDirectory }: IdentityOptions,
  main: string,
): string {
  const usual = namespace === null && instanceName === null && !pidDirectory
  if (pidFile === null && usual) return defaultRunDir
  const hash = createHash('sha256').update(main).digest('hex').slice(0, 8)
  const name = basename(namespace ?? main, '.pid')
    .replace(/[^\w.-]/g, '_')
    .slice(0, 32)
  return `${defaultRunDir}-${name}-${hash}`
}

/** What must be so before anything is opened. null, or why there is no daemon. */
function prepare(options: Options, log: Log): string | null {
  const { namespace, core, corePattern } = options
  if (namespace !== null) {
    const code = enterNetwork(namespacePath(namespace))
    if (code !== null) return `Unable to set network namespace ${namespace} - exiting (${code})`
  }
  const code = core || corePattern !== null ? allowCores() : null
  if (code !== null) log.warn(`--core-dump: ${code}`)
  if (corePattern !== null) setCorePattern(corePattern, log)
  return null
}

function setCorePattern(pattern: string, log: Log): void {
  try {
    writeFileSync('/proc/sys/kernel/core_pattern', pattern)
  } catch (error) {
    log.warn(`--core-dump-pattern: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `-d`: what a dump file would tell, a line each. */
async function dumpToLog(daemon: Daemon, log: Log): Promise<void> {
  for (const line of dataText(await daemon.dump())
    .trimEnd()
    .split('\n'))
    log.info(line)
}

function exitStatus(error: unknown): number {
  if (error instanceof ConfigError) return exits.config
  if (!(error instanceof OpError)) return exits.fatal
  const taken = ['EWOULDBLOCK', 'EAGAIN', 'EADDRINUSE'].includes(error.code)
  if (taken && (error.op === 'lock' || error.op === 'bind')) return exits.running
  return error.code === 'EPERM' || error.code === 'EACCES' ? exits.permission : exits.fatal
}

async function end(log: Log, status: number, why: string): Promise<void> {
  if (status === exits.running) log.info(why)
  else log.error(why)
  await log.flush()
  exitNow(status)
}

/** keepalived's child has the same. */
const syslogIdent = (of: Pick<IdentityOptions, 'netNamespace' | 'instanceName'>): string =>
  ['Keepalived_vrrp', of.netNamespace, of.instanceName].filter((part) => part !== null).join('_')

/** Syslog unless `-G`; with `-l` standard error too. Fields are left out of syslog: the text is keepalived's. */
function openLogs({ syslog, console, detail, facility }: Options, ident: () => string): Log {
  const level: LogLevel = detail > 1 ? 'debug' : 'info'
  return together([
    ...(syslog ? [openSyslog({ ident, facility, level })] : []),
    ...(console && !isInBackground() ? [openLog({ format: 'text', level })] : []),
  ])
}

function together(logs: readonly Log[]): Log {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    for (const log of logs) log[level](message, fields)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    flush: async () => {
      await Promise.all(logs.map((log) => log.flush()))
    },
  }
}
