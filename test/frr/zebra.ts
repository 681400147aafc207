/** Debian's FRR in a host of the lab: zebra, which its other daemons ask about interfaces, and how they are started. */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'

/** Debian's place for FRR's daemons. */
export const frrFolder = '/usr/lib/frr'
const sockets = '/run/frr'
const exchange = `${sockets}/zserv.api`

/** FRR becomes a user of its own, so this needs root. */
export async function startZebra(host: Host): Promise<Child> {
  await host.sh(`mkdir -p ${sockets} && chmod 755 /run && chown frr:frr ${sockets}`)
  const zebra = startFrr(host, 'zebra', 'log stdout\n')
  await until('zebra listens', 15_000, async () => {
    return (await host.run('test', ['-S', exchange])).status === 0
  })
  return zebra
}

/** One of its daemons with that configuration. */
export function startFrr(host: Host, name: string, configuration: string): Child {
  const file = host.write(`${sockets}/${name}.conf`, configuration)
  const files = ['-f', file, '-i', `${sockets}/${name}.pid`]
  const user = ['-u', 'frr', '-g', 'frr']
  const args = [...user, ...files, '-z', exchange, '--vty_socket', sockets, '-P', '0']
  return host.spawn(`${frrFolder}/${name}`, args, { name })
}

/** What vtysh prints for these commands; null: it, or the daemon, does not answer. */
export async function askFrr(host: Host, ...commands: readonly string[]): Promise<string | null> {
  const each = commands.flatMap((command) => ['-c', command])
  const ran = await host.run('vtysh', ['--vty_socket', sockets, ...each])
  return ran.status === 0 ? ran.stdout : null
}
