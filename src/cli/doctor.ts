/** Gathers the facts for `vipd doctor` and prints what follows from them. */
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { ControlError, requestStatus } from '../control/client.ts'
import { verdictOf } from '../doctor/codes.ts'
import type { Answer } from '../doctor/collect/protocol.ts'
import { startCollector } from '../doctor/collect/start.ts'
import { diagnose } from '../doctor/diagnose.ts'
import {
  type ConfigFact,
  type Facts,
  type HostFact,
  nothingKnown,
  type OtherDaemon,
  type Unseen,
} from '../doctor/facts.ts'
import { lostMaster } from '../doctor/rules-peer.ts'
import type { Status } from '../report/status.ts'
import { askAgain } from './ask-again.ts'
import { formatFindings } from './format-findings.ts'
import { runDirectories } from './run-directories.ts'
import { daemonSocket } from './trusted-directory.ts'

type Options = {
  readonly configPath: string
  /** It was named; else it is the file that the daemon runs with. */
  readonly configGiven: boolean
  readonly language: LanguageOptions
  readonly runDir: string
  readonly json: boolean
}

/** Each of the two, on a busy host: what is not there by then is said to be missing. */
const configMs = 10_000
const hostMs = 20_000

/** The exit status. Takes 40 seconds at most. */
export async function doctor(options: Options): Promise<number> {
  const facts = await gather(options)
  const findings = diagnose(facts)
  const exit = verdictOf(findings)
  const { runDir, daemon, config, unseen } = facts
  const json = {
    schema: 1,
    exit,
    runDir,
    daemon,
    configPath: config?.path ?? null,
    findings,
    unseen,
  }
  process.stdout.write(
    options.json ? `${JSON.stringify(json, null, 2)}\n` : formatFindings(facts, findings),
  )
  return exit
}

async function gather(options: Options): Promise<Facts> {
  const { runDir } = options
  const [asked, others] = await Promise.all([askDaemon(runDir), askOthers(runDir)])
  const { status } = asked
  const path = options.configGiven || status === null ? options.configPath : status.config.path
  const read = await readConfig(path, options.language)
  const instances = read.config?.instances ?? []
  const host = await startCollector(
    {
      kind: 'host',
      namespace: read.config?.netNamespace ?? null,
      pid: status?.pid ?? null,
      neighbours: [...instances.flatMap(({ peers }) => peers ?? []), ...masters(status)],
      clock: instances.some(({ hmacWindow }) => hmacWindow !== null),
    },
    hostMs,
  )
  const failed = host.failure === null ? [] : [{ what: 'the rest of the host', why: host.failure }]
  return {
    runDir,
    daemon: asked.daemon,
    status,
    config: read.config,
    others,
    host: host.answers.reduce(withFact, nothingKnown),
    unseen: [...asked.unseen, ...read.unseen, ...host.answers.flatMap(missing), ...failed],
  }
}

const withFact = (host: HostFact, answer: Answer): HostFact =>
  'host' in answer ? { ...host, ...answer.host } : host

const missing = (answer: Answer): Unseen[] => ('unseen' in answer ? [answer.unseen] : [])

/** Those that lead, or led before this host. */
const masters = (status: Status | null): readonly string[] =>
  (status?.instances ?? []).flatMap((one) => {
    const lost = lostMaster(one)
    const { master } = one
    return [
      ...(lost === null ? [] : [lost]),
      ...(master === null || master.self ? [] : [master.address]),
    ]
  })

type Asked = {
  readonly daemon: Facts['daemon']
  readonly status: Status | null
  readonly unseen: readonly Unseen[]
}

async function askDaemon(runDir: string): Promise<Asked> {
  try {
    const status = await askAgain(() => requestStatus(daemonSocket(runDir, 'read')))
    return { daemon: 'answers', status, unseen: [] }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const { failure, message } = error
    if (failure === 'unreachable') return { daemon: 'away', status: null, unseen: [] }
    const daemon = failure === 'timeout' || failure === 'protocol' ? 'silent' : 'denied'
    return { daemon, status: null, unseen: [{ what: 'the running daemon', why: message }] }
  }
}

/** The other vipds of this host, as far as they answer. */
async function askOthers(runDir: string): Promise<readonly OtherDaemon[]> {
  const found = await Promise.all(
    runDirectories()
      .filter((directory) => directory !== runDir)
      .map(async (directory): Promise<OtherDaemon[]> => {
        const { daemon, status } = await askDaemon(directory)
        if (daemon === 'away') return []
        return [{ kind: 'vipd', where: directory, instances: status && instancesOf(status) }]
      }),
  )
  return found.flat()
}

const instancesOf = (status: Status): NonNullable<OtherDaemon['instances']> =>
  status.instances.map(({ name, vrid, family, interface: link, addresses }) => ({
    name,
    vrid,
    family,
    interface: link,
    addresses: addresses.map((it) => ({
      address: it.address,
      prefixLength: it.prefixLength,
      interface: it.interface,
      nodad: true,
    })),
  }))

async function readConfig(
  path: string,
  language: LanguageOptions,
): Promise<{ readonly config: ConfigFact | null; readonly unseen: readonly Unseen[] }> {
  const { answers, failure } = await startCollector({ kind: 'config', path, language }, configMs)
  const config = answers.flatMap((it) => ('config' in it ? it.config : []))[0] ?? null
  if (config !== null) return { config, unseen: [] }
  return { config, unseen: [{ what: path, why: failure ?? 'not read' }] }
}
