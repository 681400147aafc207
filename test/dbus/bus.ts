/** A message bus of a host's own, where the system's would be, with the system's rules; and what busctl sees on it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Child } from '../../src/lab/child.ts'
import type { Host, Ran } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'
import { packageRoot } from '../config/ask-both.ts'

export const soonMs = 30_000
export const name = 'org.keepalived.Vrrp1'
export const daemonPath = '/org/keepalived/Vrrp1/Vrrp'
export const daemonInterface = `${name}.Vrrp`
export const instanceInterface = `${name}.Instance`
export const pathOf = (on: string, vrid: number, family: 4 | 6 = 4): string =>
  `/org/keepalived/Vrrp1/Instance/${on}/${vrid}/IPv${family}`

/** As an operator installs it. */
const ours = readFileSync(join(packageRoot, 'contrib/dbus/vipd.conf'), 'utf8')

/** `open`: all may ask for everything, and only vipd itself is between them and an order. */
const policies = {
  ours,
  none: '<busconfig/>',
  open: `<busconfig><policy context="default">
    <allow own="*"/><allow send_destination="*"/>
  </policy></busconfig>`,
} as const

export type Policy = keyof typeof policies

/** What the system's bus is by itself (dbus 1.14), without a user of its own and without activation. */
const systemRules = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Peer"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <policy user="root">
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Monitoring"/>
  </policy>
  <include>/run/lab/policy.conf</include>
</busconfig>`

export const setPolicy = (host: Host, policy: Policy): string =>
  host.write('/run/lab/policy.conf', policies[policy])

export async function startBus(host: Host): Promise<Child> {
  await host.must('mkdir', ['-p', '/run/dbus'])
  const file = host.write('/run/lab/bus.conf', systemRules)
  const args = [`--config-file=${file}`, '--nofork', '--nopidfile', '--nosyslog']
  const bus = host.spawn('dbus-daemon', args, { name: 'bus' })
  const answers = async () => (await busctl(host, 'list')).status === 0
  await until('the bus answers', soonMs, answers)
  return bus
}

export const busctl = (host: Host, ...words: string[]): Promise<Ran> =>
  host.run('busctl', ['--system', ...words])

export const call = (host: Host, path: string, of: string, member: string): Promise<Ran> =>
  busctl(host, 'call', name, path, of, member)

/** As busctl prints it: `(us) 2 "Master"`. */
export async function property(host: Host, path: string, which: string): Promise<string> {
  const found = await busctl(host, 'get-property', name, path, instanceInterface, which)
  return `${found.stdout}${found.stderr}`.trim()
}

export const paths = async (host: Host): Promise<readonly string[]> => {
  const { stdout } = await busctl(host, 'tree', '--list', name)
  return stdout.trim().split('\n')
}

export const isServed = async (host: Host): Promise<boolean> =>
  (await busctl(host, 'status', name)).status === 0

export const served = (host: Host): Promise<boolean> =>
  until('the name is on the bus', soonMs, () => isServed(host))

/** What keepalived's interfaces tell, as `SHORT-PATH MEMBER [CODE]`, in the order in which it came. */
export class Signals {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static async open(host: Host): Promise<Signals> {
    const rule = "type='signal',path_namespace='/org/keepalived'"
    const child = host.spawn('stdbuf', ['-oL', 'dbus-monitor', '--system', rule], {
      name: 'dbus-monitor',
    })
    // What it prints first of all is that it has lost its name: it is a monitor.
    await child.line(/member=NameLost/, soonMs)
    return new Signals(child)
  }

  get all(): readonly string[] {
    const found: string[] = []
    for (const line of this.#child.text.split('\n')) {
      const [, path, member] =
        /path=\/org\/keepalived\/Vrrp1\/(\S+); interface=org\.keepalived\S+; member=(\w+)/.exec(
          line,
        ) ?? []
      const [, code] = /^ {3}uint32 (\d+)$/.exec(line) ?? []
      if (path !== undefined) found.push(`${path} ${member}`)
      else if (code !== undefined) found.push(`${found.pop()} ${code}`)
    }
    // The last one may lack its code yet.
    return found.filter((it) => !it.endsWith('VrrpStatusChange'))
  }

  /** Waits for one; those before it are there too. */
  async has(signal: string): Promise<void> {
    await until(`${signal} is told`, soonMs, () => this.all.includes(signal)).catch(
      (error: Error) => {
        throw new Error(`${error.message}; but ${this.all.join(', ')}`)
      },
    )
  }
}
