/** What a host of the lab does for a living: a web server on port 80, or a daemon of either kind. */
import type { Child } from './child.ts'
import type { Daemon, DaemonKind } from './daemon.ts'
import type { Host } from './host.ts'
import { startKeepalived } from './keepalived.ts'
import { program } from './program.ts'
import { startVipd } from './vipd.ts'

/** Resolves when the web server listens. Its page is the host's name. */
export async function serveWeb(host: Host): Promise<Child> {
  const web = host.spawn(process.execPath, [program('./httpd.js'), '80'], { name: 'httpd' })
  await web.line(/listening/, 60_000)
  return web
}

export const startDaemon = (kind: DaemonKind, host: Host, config: string): Daemon =>
  kind === 'vipd' ? startVipd(host, config) : startKeepalived(host, config)
