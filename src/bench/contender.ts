/** Who takes part in a bench: vipd as it is here, and every keepalived that is asked for. */
import { execFileSync } from 'node:child_process'
import type { Daemon } from '../lab/daemon.ts'
import type { Host } from '../lab/host.ts'
import { startKeepalived } from '../lab/keepalived.ts'
import { startVipd } from '../lab/vipd.ts'

export type Contender = {
  /** As the tables name it: 'vipd', 'keepalived 2.2.7'. */
  readonly name: string
  start(host: Host, config: string): Daemon
}

export const vipdContender: Contender = {
  name: 'vipd',
  start: (host, config) => startVipd(host, config),
}

/** null when that command does not run, or is no keepalived. It logs as it does by itself: to syslog. */
export function keepalivedContender(command: string): Contender | null {
  const version = keepalivedVersion(command)
  if (version === null) return null
  const options = { usualLog: true, command }
  return {
    name: `keepalived ${version}`,
    start: (host, config) => startKeepalived(host, config, options),
  }
}

function keepalivedVersion(command: string): string | null {
  try {
    // It says so on standard error.
    const said = execFileSync('sh', ['-c', '"$0" --version 2>&1', command], { encoding: 'utf8' })
    return /^Keepalived v(\S+)/m.exec(said)?.[1] ?? null
  } catch {
    return null
  }
}
