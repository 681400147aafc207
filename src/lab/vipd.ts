/** vipd in a host, started and ordered as an operator would: through its command line. */
import { setTimeout as delay } from 'node:timers/promises'
import { ControlError, requestStatus } from '../control/client.ts'
import type { Exit } from './child.ts'
import { type Daemon, Roles } from './daemon.ts'
import type { Host, Ran } from './host.ts'
import { program } from './program.ts'
import { nowMs } from './wait.ts'

/** A daemon that has begun to log answers within so long. */
const startingMs = 60_000
const askAgainMs = 5
const isStarting = /the daemon is still starting/

const command = program('../cli/run.js')

/** The part of `vipd status --json` that the lab looks at; src/report/status.ts is its home. */
export type VipdStatus = {
  readonly upgrades: {
    readonly done: number
    readonly refused: number
    readonly running: object | null
    readonly last: { readonly from: { readonly pid: number }; readonly attempts: number } | null
    readonly lastRefusal: { readonly why: string } | null
  }
  readonly engine: {
    readonly eventsRaised: number
    readonly realtime: boolean
    readonly unclaimed: number
  }
  readonly unknownVrids: readonly {
    readonly interface: string
    readonly vrid: number
    readonly from: string
  }[]
  readonly config: {
    readonly lastReload: string
    readonly lastReloadAt: string | null
    readonly lastReloadReasons: readonly string[]
    readonly unchangedOnDisk: boolean | 'unknown'
  }
  readonly instances: readonly {
    readonly name: string
    readonly state: string
    readonly effectivePriority: number
    readonly standsBy: string | null
    readonly transitions: number
    readonly why: string
    readonly master: { readonly address: string; readonly priority: number } | null
    readonly adverts: { readonly received: number; readonly sent: number }
    readonly rejects: Readonly<Record<string, number>>
    readonly kernelLease: { readonly state: string; readonly why: string | null } | null
    readonly checksums: Readonly<Record<string, number>> | null
  }[]
  readonly statics: readonly {
    readonly kind: string
    readonly text: string
    readonly state: string
    readonly why: string | null
  }[]
  readonly warnings: readonly string[]
  readonly checks: readonly { readonly name: string; readonly good: boolean | null }[]
}

export type Vipd = Daemon & {
  readonly runDir: string
  status(): Promise<VipdStatus>
  /** Runs a vipd command against this daemon: `ask('failover', 'VI_1')`. */
  ask(...words: string[]): Promise<Ran>
  /** `vipd reload`: the command's exit status and words. */
  tryReload(): Promise<{ readonly status: number | null; readonly text: string }>
  /** Replaces the text of the configuration file; nothing happens until a reload. */
  configure(config: string): void
}

/**
 * Starts vipd with that configuration; several in one host need a `name` each. `under`: a command that executes the
 * rest of its arguments, as setsid(1).
 */
export function startVipd(
  host: Host,
  config: string,
  name = 'vipd',
  under: readonly string[] = [],
): Vipd {
  const file = host.write(`/run/lab/${name}.conf`, config)
  const runDir = `/run/lab/${name}`
  const roles = new Roles()
  const args = [command, 'run', '-f', file, '--run-dir', runDir]
  const [start = '', ...rest] = [...under, process.execPath, ...args]
  const child = host.spawn(start, rest, { name, onLine: roles.onLine })
  const ask = (...words: string[]) =>
    onceStarted(
      () => host.run(process.execPath, [command, ...words, '--run-dir', runDir]),
      ({ status, stderr }) => status !== 0 && isStarting.test(stderr),
    )
  // Asked often while something is waited for: a process of Node.js for each question would keep the machine busy.
  const status = (): Promise<VipdStatus> =>
    onceStarted(() => requestStatus(host.outside(`${runDir}/vipd.sock`)))
  return {
    kind: 'vipd',
    host,
    child,
    runDir,
    transitions: roles.transitions,
    ask,
    reaches: (instance, state, timeoutMs) => roles.reaches(child.name, instance, state, timeoutMs),
    state: (instance) => roles.state(instance),
    status,
    errors: async () => rejectsOf(await status()),
    configure: (text) => void host.write(file, text),
    reload: () => child.signal('SIGHUP'),
    async tryReload() {
      const answer = await ask('reload')
      return { status: answer.status, text: `${answer.stdout}${answer.stderr}` }
    },
    stop: (timeoutMs = 60_000): Promise<Exit> => child.stop(timeoutMs),
    async kill() {
      await child.signal('SIGKILL')
      await child.ended(60_000)
    },
  }
}

/**
 * The first lines of a log, its first transition among them, come before the daemon answers: what says that it is still
 * starting is asked again.
 */
async function onceStarted<T>(
  ask: () => Promise<T>,
  refuses: (answer: T) => boolean = () => false,
): Promise<T> {
  const endMs = nowMs() + startingMs
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      const starts = error instanceof ControlError && isStarting.test(error.message)
      if (!starts || nowMs() > endMs) throw error
      return null
    })
    if (answer !== null && (!refuses(answer) || nowMs() > endMs)) return answer
    await delay(askAgainMs)
  }
}

function rejectsOf(status: VipdStatus): Record<string, number> {
  const all = status.instances.flatMap(({ name, rejects }) =>
    Object.entries(rejects).map(([reason, count]) => [`${name}/${reason}`, count] as const),
  )
  return Object.fromEntries(all.filter(([, count]) => count > 0))
}
