/** Debian's snmpd, snmptrapd and the commands that ask, in a host of the lab. */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'

const soonMs = 30_000
const port = 1_610
const trapPort = 1_620
export const agentSocket = '/run/lab/agentx'

/** What it keeps belongs to the host; no MIB file is read. */
const withoutMibs = ['SNMP_PERSISTENT_DIR=/run/lab/snmp', 'MIBS=']

/** Its notifications go to `sink`, an address. */
export async function startSnmpd(host: Host, sink = '127.0.0.1'): Promise<Child> {
  host.write(
    '/run/lab/snmpd.conf',
    `master agentx
agentXSocket unix:${agentSocket}
agentaddress udp:127.0.0.1:${port}
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
trap2sink ${sink}:${trapPort} public
`,
  )
  const words = ['-f', '-Lo', '-C', '-c', '/run/lab/snmpd.conf', '-p', '/run/lab/snmpd.pid']
  const child = host.spawn('env', [...withoutMibs, 'snmpd', ...words], { name: 'snmpd' })
  await until(`${child.name} answers`, soonMs, async () => {
    if (child.exit !== null) throw new Error(`${child.name} has ended\n${child.text}`)
    return (await ask(host, 'snmpget', '1.3.6.1.2.1.1.3.0')).status === 0
  })
  return child
}

export async function startTrapd(host: Host): Promise<Child> {
  host.write(
    '/run/lab/snmptrapd.conf',
    `disableAuthorization yes\nsnmpTrapdAddr udp:0.0.0.0:${trapPort}\n`,
  )
  const words = ['-f', '-Lo', '-On', '-C', '-c', '/run/lab/snmptrapd.conf', '-F', '%v\\n']
  const child = host.spawn('env', [...withoutMibs, 'snmptrapd', ...words], { name: 'snmptrapd' })
  await child.output.next('snmptrapd listens', soonMs, ({ text }) => text.includes('NET-SNMP'))
  return child
}

/** Seconds until a question is put again, and how often. */
const patience = ['-t', '10', '-r', '2']

/** Values as net-snmp prints them, by the numbers of their names. */
export type Walk = ReadonlyMap<string, string>

const ask = (host: Host, command: string, ...words: string[]) =>
  host.run('env', [
    ...withoutMibs,
    command,
    ...['-v2c', '-c', 'public', '-On', '-Oe', ...patience, `127.0.0.1:${port}`, ...words],
  ])

async function askFor(host: Host, command: string, words: readonly string[]): Promise<Walk> {
  const { status, stdout, stderr } = await ask(host, command, ...words)
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${status}: ${stdout}${stderr}`)
  // A line without a name goes on with the value before it.
  const whole = stdout.replace(/\n(?!\.1\.)/g, ' ')
  const lines = whole.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/ = (.*)/s)
      return [name.slice(1), value.trim()]
    }),
  )
}

export const bulkWalk = (host: Host, subtree: string): Promise<Walk> =>
  askFor(host, 'snmpbulkwalk', [subtree])

export const get = (host: Host, ...names: readonly string[]): Promise<Walk> =>
  askFor(host, 'snmpget', names)

/** Null where the answer is an error: of a subagent that has just come or gone snmpd answers some questions with one. */
export const tryGet = async (host: Host, name: string): Promise<string | null> =>
  (await get(host, name).catch(() => null))?.get(name) ?? null

export const getNext = (host: Host, ...names: readonly string[]): Promise<Walk> =>
  askFor(host, 'snmpgetnext', names)

export const set = (host: Host, name: string, value: number) =>
  host.run('env', [
    ...withoutMibs,
    ...['snmpset', '-v2c', '-c', 'private', '-On', ...patience],
    ...[`127.0.0.1:${port}`, name, 'i', `${value}`],
  ])

export const mibs = {
  keepalived: '1.3.6.1.4.1.9586.100.5',
  rfc2787: '1.3.6.1.2.1.68',
  rfc6527: '1.3.6.1.2.1.207',
} as const
