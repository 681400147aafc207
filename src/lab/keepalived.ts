/** The real keepalived in a host: the peer that vipd must get on with, and the yardstick of the benches. */
import { basename } from 'node:path'
import type { Exit } from './child.ts'
import { type Daemon, Roles } from './daemon.ts'
import type { Host } from './host.ts'
import { until } from './wait.ts'

const statsFile = '/tmp/keepalived.stats'
/** Sections of keepalived.stats whose numbers count bad packets. */
const errorSection = /^ {2}(Packet Errors|Authentication Errors):$/

export type KeepalivedOptions = {
  /** It logs as it does by itself, to syslog, which costs it nothing here; then its roles are not known. */
  readonly usualLog?: boolean
  /** Another than the one in the path. */
  readonly command?: string
}

/** Starts keepalived with that configuration. One per host: it keeps its usual files under /run and /tmp. */
export function startKeepalived(
  host: Host,
  config: string,
  { usualLog = false, command = 'keepalived' }: KeepalivedOptions = {},
): Daemon {
  const file = host.write('/run/lab/keepalived.conf', config)
  const roles = new Roles()
  const args = ['-n', ...(usualLog ? [] : ['-l', '-D']), '-P', '-f', file]
  const child = host.spawn(command, args, { name: 'keepalived', onLine: roles.onLine })
  return {
    kind: 'keepalived',
    host,
    child,
    transitions: roles.transitions,
    reaches: (instance, state, timeoutMs) => roles.reaches(child.name, instance, state, timeoutMs),
    state: (instance) => roles.state(instance),
    errors: () => errorsOf(host, () => child.signal('SIGUSR2')),
    reload: () => child.signal('SIGHUP'),
    stop: (timeoutMs = 60_000): Promise<Exit> => child.stop(timeoutMs),
    async kill() {
      // Stopped first: one that sees another die before it would say so to its neighbours. The dead process may not be
      // reaped yet, and while the pid file names it the next one refuses to start.
      const files = '/run/vrrp.pid /run/bfd.pid /run/keepalived.pid'
      const script = `all=$(pidof ${basename(command)}); kill -STOP $all; kill -KILL $all; rm -f ${files}`
      await host.run('sh', ['-c', script])
      // nsenter(1) may see the stop later than the end of this.
      await until(`${child.name} is dead`, 60_000, () => {
        child.wake()
        return child.exit
      })
    },
  }
}

async function errorsOf(host: Host, ask: () => Promise<void>): Promise<Record<string, number>> {
  await host.must('rm', ['-f', statsFile])
  await ask()
  const complete = /Priority Zero:\n\s+Received: \d+\n\s+Sent: \d+\n$/
  const text = await until('keepalived.stats is written', 60_000, () => {
    const read = host.read(statsFile)
    return read !== null && complete.test(read) ? read : null
  })
  return countErrors(text)
}

/** 'Packet Errors/TTL' → count, only those that are not 0. */
function countErrors(text: string): Record<string, number> {
  const errors: Record<string, number> = {}
  let section: string | null = null
  for (const line of text.split('\n')) {
    if (/^ {2}\S/.test(line)) section = errorSection.exec(line)?.[1] ?? null
    const [, name = '', count = '0'] = /^ {4}(.+): (\d+)$/.exec(line) ?? []
    if (section === null || count === '0') continue
    errors[`${section}/${name}`] = (errors[`${section}/${name}`] ?? 0) + Number(count)
  }
  return errors
}
